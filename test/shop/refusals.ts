import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Cluster, createTopics } from './clusters.ts'
import { numberOf, readTopic } from './records.ts'
import { sellingShop } from './relay.ts'

const HOUR_MS = 3_600_000
const TWO_HOURS_MS = 2 * HOUR_MS
const MAX_MESSAGE_BYTES = 10_000
const TOO_LARGE = 'x'.repeat(2 * MAX_MESSAGE_BYTES)

type Facts = { value: string; eventTime?: number }

/** What Kafka refuses for good; the development broker refuses nothing. */
export function refusalTests(cluster: () => Cluster) {
  const createBoth = () =>
    createTopics(cluster().brokers, ['web_requests', 'new_orders'], {
      configEntries: [{ name: 'max.message.bytes', value: String(MAX_MESSAGE_BYTES) }],
    })
  const add = ({ shop }: ReturnType<typeof sellingShop>, facts: Facts[]) =>
    shop.outbox.record(() => {
      const events = facts.map(({ value, eventTime = Date.now() }) => ({
        topic: 'web_requests',
        key: null,
        value,
        eventTime,
      }))
      return { result: undefined, events }
    }, 'written')
  const read = () => readTopic(cluster().brokers, 'web_requests')

  test('an event stamped too far ahead is sent with the time of sending, its own in the header', async () => {
    await createBoth()
    await using selling = sellingShop(cluster().brokers)
    const ahead = Date.now() + TWO_HOURS_MS
    const facts = Array.from({ length: 9 }, (_, at) => ({
      value: String(at),
      ...((at === 2 || at === 8) && { eventTime: ahead }),
    }))
    await add(selling, facts)
    selling.start('a')
    await selling.sent()
    const records = await read()
    assert.deepEqual(
      records.map(({ value }) => value),
      facts.map(({ value }) => value),
    )
    assert.deepEqual(
      records.map(numberOf),
      facts.map((_, at) => `a#${at + 1}`),
    )
    for (const { value, headers, timestamp } of records) {
      const time = Number(headers['mb-time'])
      if (value === '2' || value === '8') assert.equal(time, ahead)
      else assert.equal(timestamp, time)
      assert.ok(timestamp <= Date.now())
    }
    assert.equal(selling.shop.outbox.setAsideRecords, 0)
  })

  test('events too old for the topic are stamped anew, a whole batch of them in few attempts', async () => {
    await createTopics(cluster().brokers, ['web_requests', 'new_orders'], {
      configEntries: [{ name: 'message.timestamp.before.max.ms', value: String(HOUR_MS) }],
    })
    await using selling = sellingShop(cluster().brokers)
    let attempts = 0
    const eventTime = Date.now() - TWO_HOURS_MS
    await add(
      selling,
      Array.from({ length: 400 }, (_, at) => ({ value: String(at), eventTime })),
    )
    selling.start('a', {
      disturb: (connection) => ({
        ...connection,
        send: (rows, stampedMs) => {
          attempts += 1
          return connection.send(rows, stampedMs)
        },
      }),
    })
    await selling.sent()
    const records = await read()
    assert.deepEqual(
      records.map(({ value, headers }) => [value, headers['mb-seq'], headers['mb-time']]),
      Array.from({ length: 400 }, (_, at) => [String(at), String(at + 1), String(eventTime)]),
    )
    for (const { timestamp } of records) assert.ok(timestamp > Date.now() - HOUR_MS)
    assert.ok(attempts < 40, `${attempts} attempts`)
  })

  test('an event too large for Kafka is set aside with the reason, and its number goes to the next', async () => {
    await createBoth()
    await using selling = sellingShop(cluster().brokers)
    selling.start('a')
    await add(selling, [{ value: 'before' }])
    await selling.sent()
    await selling.stop()

    await add(selling, [{ value: TOO_LARGE }, { value: '1' }, { value: TOO_LARGE }, { value: '2' }])
    selling.start('b')
    await selling.sent()
    assert.deepEqual((await read()).map(numberOf), ['a#1', 'b#1<a:1', 'b#2'])

    const kept = selling.shop.rows<{ value: string; error: string }>(
      'select value, error from outbox_set_aside',
    )
    assert.deepEqual(
      kept.map(({ value }) => value.length),
      [TOO_LARGE.length, TOO_LARGE.length],
    )
    for (const { error } of kept) assert.match(error, /larger than the max message size/)
    const metrics = await (await selling.shop.get('/metrics')).text()
    assert.match(metrics, /^shop_outbox_set_aside_records 2$/m)
    assert.equal(selling.log.filter((line) => /set aside/.test(line)).length, 2)
  })

  test('a batch that is too large as a whole arrives in parts, in order', async () => {
    await createBoth()
    await using selling = sellingShop(cluster().brokers)
    await add(
      selling,
      Array.from({ length: 300 }, (_, at) => ({ value: String(at).padEnd(100) })),
    )
    selling.start('a')
    await selling.sent()
    assert.deepEqual(
      (await read()).map(({ value, headers }) => [Number(value), Number(headers['mb-seq'])]),
      Array.from({ length: 300 }, (_, at) => [at, at + 1]),
    )
  })

  test('an incarnation whose every event was refused leaves no trace in the numbers', async () => {
    await createBoth()
    await using selling = sellingShop(cluster().brokers)
    for (const [source, value] of [
      ['a', '1'],
      ['b', TOO_LARGE],
      ['c', '2'],
    ] as const) {
      selling.start(source)
      await add(selling, [{ value }])
      await selling.sent()
      await selling.stop()
    }
    assert.deepEqual((await read()).map(numberOf), ['a#1', 'c#1<a:1'])
  })
}
