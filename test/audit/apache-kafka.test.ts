import assert from 'node:assert/strict'
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import Database from 'better-sqlite3'
import { HEADERS } from '../../services/kafka/headers.ts'
import { COMPRESSIONS } from '../bridge/compressions.ts'
import { encodeBatch, type TestBatch } from '../bridge/record-batch.ts'
import { connect, produce, withAdmin } from '../broker/clients.ts'
import { kcat } from '../broker/kcat.ts'
import { produceRaw } from '../broker/raw.ts'
import { type RunningBridge, startBridge } from '../e2e/running-bridge.ts'
import { createTopics, order } from '../e2e/topics.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { freePort } from '../harness/ports.ts'
import { startService, untilOk } from '../harness/service.ts'
import { useOwnKafka } from '../kafka/kafka.ts'
import { runAudit } from './command.ts'

const { brokers, skip } = await useOwnKafka()

/** kafkajs fails at more than about 125,000 in one batch, unless it has the stack. */
const MANY = 200_000
const NOW = Date.now()

describe('audit on Apache Kafka', { skip, concurrency: 1 }, () => {
  let bridge: RunningBridge
  before(async () => {
    await createTopics(brokers, 2)
    bridge = await startBridge(brokers)
  })
  after(() => bridge?.[Symbol.asyncDispose]())
  const deep = (dataDir: string) => runAudit(dataDir, ['--deep'], { KAFKA_BROKERS: brokers })

  test('--deep agrees about every codec, transactions, duplicates, dead letters and large batches', async () => {
    const values = Buffer.from([1, 2, 3].map((id) => `${order(id, id)}\n`).join(''))
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      await kcat(brokers, ['-P', '-t', 'new_orders', '-p', '0', '-z', codec], values)
    }
    const few = [4, 5, 6].map((id) => ({ value: order(id, id), timestampMs: NOW }))
    await send('new_orders', { records: few, ...compressedBy('snappy, framed by snappy-java') })
    const many = Array.from({ length: MANY }, () => ({ value: '1', timestampMs: NOW }))
    await send('web_requests', {
      records: many,
      ...COMPRESSIONS.find(({ name }) => name === 'zstd'),
    })
    await transact()
    await number()
    await produce(
      brokers,
      'new_orders',
      BAD.map((value) => ({ value, partition: 1 })),
    )
    await bridge.shows('web_requests_total', {}, MANY + 6)
    await bridge.shows('meterbridge_caught_up', { stream: 'orders' }, 1)

    const { code, report, output } = await deep(bridge.dataDir)
    assert.equal(code, 0, output)
    const sum = (name: 'accepted' | 'rejected' | 'duplicate') =>
      report.recounted!.reduce((total, one) => total + one[name], 0)
    assert.deepEqual(
      [sum('accepted'), sum('rejected'), sum('duplicate')],
      [18 + MANY + 6 + 4, BAD.length + 1, 2],
    )
    assert.deepEqual(
      report.notes.filter(({ note }) => !note.startsWith('pending')),
      [],
    )
  })

  test('--deep finds one number that was changed where all of the database agrees', async () => {
    using copy = storeOf(bridge)
    const database = new Database(join(copy.path, 'bridge', 'bridge.db'))
    database.exec(`
      update series set value = value + 2 where measure = 'shop_ordered_units_total' and partition = 0
        and labels like '%prepaid%';
      update minutes set value = value + 2 where rowid in (select min(rowid) from minutes where partition = 0
        and "column" in ('total_orders_amount', 'total_paid_orders_amount') group by "column");`)
    database.close()
    const { code, report, output } = await deep(copy.path)
    assert.equal(code, 1, output)
    assert.deepEqual(new Set(report.differences.map(({ check }) => check)), new Set(['recount']))
    const places = report.differences.map(({ where }) => where)
    assert.match(places[0]!, /^new_orders\/0, shop_ordered_units_total \{"payment":"prepaid"\}$/)
    assert.match(places[1]!, /^new_orders\/0, total_(paid_)?orders_amount of 20/)
    assert.equal(places.length, 3)
  })

  test('--deep counts what was redriven beside, and says what is valid now', async () => {
    using copy = storeOf(bridge)
    const database = new Database(join(copy.path, 'bridge', 'bridge.db'))
    const minute = NOW - (NOW % 60_000)
    database.exec(`
      update partitions set accepted = accepted - 1, rejected = rejected + 1 where partition = 0;
      update partitions set redriven = 1 where topic = 'new_orders' and partition = 0;
      update series set value = value - 1 where measure = 'web_requests_total' and partition = 0;
      update minutes set value = value - 1 where stream = 'requests' and minute_ms = ${minute} and partition = 0;
      update rejections set records = records + 1 where topic = 'new_orders' and reason = 'json';
      insert into rejections values ('web_requests', 'json', 1);
      insert into dead_letters (topic, partition, incarnation, "offset", records, reason, detail, timestamp_ms, value_bytes, hash, redriven_ms)
        values ('new_orders', 0, 1, 0, 1, 'json', '', 0, 0, '', 1), ('web_requests', 0, 1, 7, 1, 'json', '', 0, 0, '', null);`)
    database.close()
    const { report } = await deep(copy.path)
    assert.deepEqual(report.differences, [])
    const found = report.recounted!.filter(({ partition }) => partition === 0)
    assert.deepEqual(
      found.map(({ topic, rejected, redriven, validNow }) => [topic, rejected, redriven, validNow]),
      [
        ['new_orders', 1, 1, 0],
        ['web_requests', 1, 0, 1],
      ],
    )
  })

  test('--deep counts from a checkpoint where Kafka no longer has the start, and says where there is none', async () => {
    using then = storeOf(bridge)
    await produce(brokers, 'web_requests', [{ value: '1', partition: 0 }])
    await bridge.shows('web_requests_total', {}, MANY + 6 + 1)
    await withAdmin(brokers, async (admin) => {
      await admin.fetchTopicOffsets('web_requests') // kafkajs needs it first
      const partitions = [{ partition: 0, offset: '5' }]
      await admin.deleteTopicRecords({ topic: 'web_requests', partitions })
    })
    using copy = storeOf(bridge)
    const noteOf = ({ report }: Awaited<ReturnType<typeof deep>>) =>
      report.notes.find(({ where }) => where === 'web_requests/0')?.note
    const without = await deep(copy.path)
    assert.equal(
      noteOf(without),
      'not checkable: Kafka begins at 5, and no checkpoint reaches there',
    )
    const checkpoints = join(copy.path, 'bridge', 'checkpoints')
    mkdirSync(checkpoints)
    cpSync(join(then.path, 'bridge', 'bridge.db'), join(checkpoints, '2026-05-01.db'))
    const found = await deep(copy.path)
    assert.equal(noteOf(found), `compared only from ${MANY}, checkpoint 2026-05-01`)
    assert.deepEqual([without.code, found.code], [0, 0], found.output)
    const last = found.report.recounted!.at(-2)!
    assert.deepEqual([last.from, last.to, last.accepted], [MANY, MANY + 1, 1])
  })

  test('--shop agrees while all of it runs, and finds a number that was not counted', async () => {
    const address = `127.0.0.1:${await freePort()}`
    await using shop = startService('services/shop/main.ts', {
      KAFKA_BROKERS: brokers,
      METERBRIDGE_DATA_DIR: bridge.dataDir,
      METERBRIDGE_SHOP_LISTEN: address,
    })
    await untilOk(shop, `http://${address}/healthz`)
    const shopping = new AbortController()
    const orders = shopUntil(shopping.signal, `http://${address}`)
    orders.catch(() => {})
    const running = await runAudit(bridge.dataDir, ['--shop'], {
      METERBRIDGE_LISTEN: bridge.address,
    })
    shopping.abort()
    assert.deepEqual(running.report.differences, [])
    assert.ok((await orders) > 0)
    assert.equal(await shop.end(), 0)
    const still = await runAudit(bridge.dataDir, ['--shop'], { METERBRIDGE_LISTEN: bridge.address })
    assert.deepEqual([still.code, still.report.differences], [0, []])

    using copy = storeOf(bridge)
    cpSync(join(bridge.dataDir, 'shop'), join(copy.path, 'shop'), { recursive: true })
    const database = new Database(join(copy.path, 'bridge', 'bridge.db'))
    const ofShop = "where topic = 'new_orders' and source <> 'a'"
    database.exec(`update sources set last = last - 1 ${ofShop}`)
    const behind = await runAudit(copy.path, ['--shop'])
    assert.equal(behind.code, 0, behind.output)
    const pending = /^pending: number \d+ is not counted; the bridge does not run, or is behind$/
    assert.ok(
      behind.report.notes.some(({ note }) => pending.test(note)),
      behind.output,
    )

    database.exec(`update sources set last = last + 1, gaps = '[{"from":1,"to":1}]' ${ofShop}`)
    database.exec("update partitions set lost = lost + 1 where topic = 'new_orders'")
    database.close()
    const { code, report, output } = await runAudit(copy.path, ['--shop'])
    assert.equal(code, 1, output)
    for (const { check, where, found } of report.differences) {
      assert.deepEqual([check, found], ['numbers of the shop', 'never came'], where)
      assert.match(where, /^new_orders\/[01], source /)
    }
  })
})

/** Places orders until `signal` aborts. @returns how many. */
async function shopUntil(signal: AbortSignal, shop: string): Promise<number> {
  const form = { email: 'a@example.org', amount: '2', is_paid_now: 'true' }
  let placed = 0
  for (; !signal.aborted; placed++) {
    const body = new URLSearchParams(form)
    const response = await fetch(`${shop}/order-new`, { method: 'POST', body, redirect: 'manual' })
    assert.equal(response.status, 303)
  }
  return placed
}

/** A copy of the store as it is, in a data folder where every day waits to be written. */
function storeOf({ dataDir }: RunningBridge) {
  const copy = temporaryFolder()
  const file = join(copy.path, 'bridge', 'bridge.db')
  mkdirSync(join(copy.path, 'bridge'))
  const live = new Database(join(dataDir, 'bridge', 'bridge.db'), { readonly: true })
  live.prepare('vacuum into ?').run(file)
  live.close()
  const database = new Database(file)
  database.exec(`insert or replace into pending_days
    select distinct stream, minute_ms - minute_ms % 86400000, 1 from minutes
    union select stream, first_minute_ms - first_minute_ms % 86400000, 1 from streams`)
  database.close()
  return copy
}

const compressedBy = (wanted: string) => COMPRESSIONS.find(({ name }) => name === wanted)!

/** One batch, to partition 0. */
async function send(topic: string, batch: TestBatch) {
  assert.equal((await produceRaw(brokers, topic, encodeBatch(batch))).error, 0)
}

const BAD = ['no JSON', '', '{"order_id":1}', order(1, 0)]

/** Two overlap and are aborted, one is committed behind them: of its 6 and their 3 records 6 count. */
async function transact() {
  const begin = async (transactionalId: string) => {
    const options = { transactionalId, idempotent: true, maxInFlightRequests: 1 }
    const producer = connect(brokers).producer(options)
    await producer.connect()
    return { producer, transaction: await producer.transaction() }
  }
  const [one, other, third] = await Promise.all(['one', 'other', 'third'].map(begin))
  const sendIn = (of: typeof one, values: string[]) =>
    of!.transaction.send({
      topic: 'web_requests',
      messages: values.map((value) => ({ value, partition: 1 })),
    })
  await sendIn(one, ['1', '1'])
  await sendIn(other, ['1'])
  await sendIn(third, ['1', '1', '1'])
  await other!.transaction.abort()
  await sendIn(third, ['1', '1', '1'])
  await third!.transaction.commit()
  await one!.transaction.abort()
  await Promise.all([one, other, third].map((each) => each!.producer.disconnect()))
}

/** Numbers 1, 2, 2, 5, 3, 3, and one that is none: 4 count, a duplicate is dropped twice, 4 stays lost. */
async function number() {
  const numbers = ['1', '2', '2', '5', '3', '3', 'x']
  const messages = numbers.map((sequence, i) => ({
    value: order(100 + i),
    partition: 1,
    headers: { [HEADERS.source]: 'a', [HEADERS.sequence]: sequence },
  }))
  await produce(brokers, 'new_orders', messages)
}
