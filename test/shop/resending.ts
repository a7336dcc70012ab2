import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readShop } from '../../services/shop/figures.ts'
import type { Connection } from '../../services/shop/outbox/connection.ts'
import {
  listOutbox,
  type NumberRange,
  resendRanges,
  resendSetAside,
} from '../../services/shop/outbox-commands.ts'
import { type Cluster, createTopics } from './clusters.ts'
import { numberOf, readTopic } from './records.ts'
import { sellingShop } from './relay.ts'
import { GOOD_FORM, OLD_DATA } from './shop.ts'

/** What goes to Kafka more than once: because a person asks for it, or after an answer that was lost. */
export function resendTests(cluster: () => Cluster) {
  const createBoth = () => createTopics(cluster().brokers, ['web_requests', 'new_orders'])
  const read = (topic = 'web_requests') => readTopic(cluster().brokers, topic)
  const requests = (source: string, from: number, to = from): NumberRange => {
    return { topic: 'web_requests', partition: 0, source, from, to }
  }

  test('events are sent again with their own numbers, while new ones are numbered on', async () => {
    await createBoth()
    await using selling = sellingShop(cluster().brokers)
    const { shop } = selling
    for (const source of ['x', 'b']) {
      selling.start(source)
      for (let i = 0; i < 3; i++) await shop.get('/')
      await selling.sent()
      await selling.stop()
    }
    const first = await read()
    const resent = resendRanges(shop.folder, [requests('x', 2, 3), requests('b', 1)])
    assert.deepEqual(resent, { events: 3, waiting: 0, missing: [] })
    const twice = resendRanges(shop.folder, [requests('x', 2, 3), requests('b', 1)])
    assert.deepEqual(twice, { events: 0, waiting: 3, missing: [] })

    await shop.get('/')
    selling.start('c')
    await selling.sent()
    await shop.get('/')
    await selling.sent()
    const records = await read()
    assert.deepEqual(records.map(numberOf), [
      ...['x#1', 'x#2', 'x#3', 'b#1<x:3', 'b#2', 'b#3'],
      ...['x#2', 'x#3', 'b#1<x:3'],
      ...['c#1<b:3', 'c#2'],
    ])
    for (const [again, before] of [
      [6, 1],
      [7, 2],
      [8, 3],
    ] as const) {
      const { offset: _, ...record } = records[again]!
      const { offset: __, ...original } = first[before]!
      assert.deepEqual(record, original)
    }
    // What was sent again is kept again.
    assert.equal(resendRanges(shop.folder, [requests('x', 1, 3)]).events, 3)
    await selling.sent()
  })

  test('numbers that are not kept are named', async () => {
    await createBoth()
    await using selling = sellingShop(cluster().brokers)
    const { shop } = selling
    selling.start('a')
    for (let i = 0; i < 6; i++) await shop.get('/')
    await selling.sent()
    shop.database.$client.exec('delete from outbox_sent where sequence in (2, 3, 5)')
    const { events, missing } = resendRanges(shop.folder, [requests('a', 1, 8), requests('x', 7)])
    assert.equal(events, 3)
    assert.deepEqual(missing, [
      requests('a', 2, 3),
      requests('a', 5),
      requests('a', 7, 8),
      requests('x', 7),
    ])
  })

  test('a number that may have reached Kafka is given to no other event', async () => {
    await createBoth()
    await using selling = sellingShop(cluster().brokers)
    const { shop } = selling
    let attempts = 0
    // All arrives and the answer is lost; then the second is refused, as if the limit had been lowered.
    const disturb = (connection: Connection): Connection => ({
      ...connection,
      async send(rows, stampedMs) {
        attempts += 1
        if (attempts > 1 && rows.some(({ sequence }) => sequence === 2)) {
          throw Object.assign(new Error('too large'), { type: 'MESSAGE_TOO_LARGE' })
        }
        await connection.send(rows, stampedMs)
        if (attempts === 1) throw new Error('the answer is lost')
      },
    })
    for (let i = 0; i < 4; i++) await shop.get('/')
    selling.start('a', { disturb })
    await selling.sent()
    await selling.stop()
    const valuesOf = new Map<string, Set<string>>()
    for (const record of await read()) {
      const values = valuesOf.get(numberOf(record)) ?? new Set()
      valuesOf.set(numberOf(record), values.add(record.value + record.headers['mb-time']))
    }
    assert.deepEqual([...valuesOf.keys()], ['a#1', 'a#2', 'a#3', 'a#4'])
    for (const [number, values] of valuesOf) assert.equal(values.size, 1, number)

    const { oldestSetAside } = listOutbox(shop.folder, 10)
    assert.deepEqual(
      oldestSetAside.map(({ error }) => error),
      ['too large'],
    )
    assert.deepEqual(readShop(shop.folder).sources, [
      { topic: 'web_requests', partition: 0, source: 'a', last: 4, waiting: [2] },
    ])
    await shop.get('/')
    selling.start('b')
    await selling.sent()
    // Put back, it has the number that it may be known by.
    assert.equal(resendSetAside(shop.folder, 'all'), 1)
    shop.outbox.refresh()
    await selling.sent()
    assert.deepEqual((await read()).slice(-2).map(numberOf), ['b#1<a:4', 'a#2'])
    assert.equal(shop.outbox.setAsideRecords, 0)
  })

  test('what a first record says of its predecessor is said by the next, if the first is set aside', async () => {
    await createBoth()
    await using selling = sellingShop(cluster().brokers)
    const { shop } = selling
    selling.start('a')
    await shop.get('/')
    await selling.sent()
    await selling.stop()
    let attempts = 0
    const disturb = (connection: Connection): Connection => ({
      ...connection,
      async send(rows, stampedMs) {
        attempts += 1
        if (attempts === 1) throw new Error('no answer')
        if (rows.some(({ sequence }) => sequence === 1)) {
          throw Object.assign(new Error('too large'), { type: 'MESSAGE_TOO_LARGE' })
        }
        await connection.send(rows, stampedMs)
      },
    })
    for (let i = 0; i < 3; i++) await shop.get('/')
    selling.start('b', { disturb })
    await selling.sent()
    assert.deepEqual((await read()).map(numberOf), ['a#1', 'b#2<a:1', 'b#3'])
  })

  test('an outbox of the first schema is sent and numbered on, nothing lost at the seam', async () => {
    await createBoth()
    await using selling = sellingShop(cluster().brokers, OLD_DATA)
    const { shop } = selling
    selling.start('third')
    await shop.submit(GOOD_FORM)
    await selling.sent()
    assert.deepEqual((await read()).map(numberOf), [
      ...['second#2', 'second#3'],
      ...['third#1<second:3', 'third#2', 'third#3'],
    ])
    const orders = await read('new_orders')
    assert.deepEqual(
      orders.map((record) => [JSON.parse(record.value).order_id, numberOf(record)]),
      [
        [6, 'third#1<second:1'],
        [7, 'third#2'],
        [8, 'third#3'],
        [9, 'third#4'],
      ],
    )
    assert.equal(resendSetAside(shop.folder, [1]), 1)
    shop.outbox.refresh()
    await selling.sent()
    const last = (await read('new_orders')).at(-1)!
    assert.deepEqual([JSON.parse(last.value).order_id, numberOf(last)], [3, 'third#5'])
  })
}
