import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import Database from 'better-sqlite3'
import { HEADERS } from '../../services/kafka/headers.ts'
import { connect, produce, withAdmin } from '../broker/clients.ts'
import { kcat } from '../broker/kcat.ts'
import { type RunningBridge, startBridge } from '../e2e/running-bridge.ts'
import { createTopics, order } from '../e2e/topics.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { produceForeign, useOwnKafka } from '../kafka/kafka.ts'
import { runAudit } from './command.ts'

const { brokers, skip } = await useOwnKafka()

/** kafkajs fails at more than about 125,000 in one batch, unless it has the stack. */
const MANY = 200_000

describe('audit --deep on Apache Kafka', { skip, concurrency: 1 }, () => {
  let bridge: RunningBridge
  before(async () => {
    await createTopics(brokers, 2)
    bridge = await startBridge(brokers)
  })
  after(() => bridge?.[Symbol.asyncDispose]())
  const deep = (dataDir: string) => runAudit(dataDir, ['--deep'], { KAFKA_BROKERS: brokers })

  test('agrees about every codec, transactions, duplicates, dead letters and large batches', async () => {
    const values = Buffer.from([1, 2, 3].map((id) => `${order(id, id)}\n`).join(''))
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd']) {
      await kcat(brokers, ['-P', '-t', 'new_orders', '-p', '0', '-z', codec], values)
    }
    // Framed as snappy-java does.
    await produceForeign({ brokers, topic: 'new_orders', codec: 'snappy', count: 500 })
    await transact()
    await number()
    await produce(
      brokers,
      'new_orders',
      BAD.map((value) => ({ value, partition: 1 })),
    )
    const many = Buffer.from('1\n'.repeat(MANY))
    const oneBatch = [
      '-X',
      'batch.num.messages=1000000',
      '-X',
      'queue.buffering.max.messages=1000000',
      '-X',
      'linger.ms=1000',
      '-X',
      'batch.size=100000000',
      '-X',
      'message.max.bytes=10000000',
    ]
    await kcat(brokers, ['-P', '-t', 'web_requests', '-p', '1', '-z', 'zstd', ...oneBatch], many)
    await bridge.shows('web_requests_total', {}, MANY + 6)
    await bridge.shows('meterbridge_caught_up', { stream: 'orders' }, 1)

    const { code, report, output } = await deep(bridge.dataDir)
    assert.equal(code, 0, output)
    const sum = (name: 'accepted' | 'rejected' | 'duplicate') =>
      report.recounted!.reduce((total, one) => total + one[name], 0)
    assert.deepEqual(
      [sum('accepted'), sum('rejected'), sum('duplicate')],
      [15 + 500 + MANY + 6 + 4, BAD.length + 1, 2],
    )
    assert.deepEqual(
      report.notes.filter(({ note }) => !note.startsWith('pending')),
      [],
    )
  })

  test('finds one number that was changed where all of the database agrees', async () => {
    using copy = temporaryFolder()
    const file = join('bridge', 'bridge.db')
    mkdirSync(join(copy.path, 'bridge'))
    const live = new Database(join(bridge.dataDir, file), { readonly: true })
    live.prepare('vacuum into ?').run(join(copy.path, file))
    live.close()
    const database = new Database(join(copy.path, file))
    database.exec(`
      update series set value = value + 2 where measure = 'shop_ordered_units_total' and partition = 0
        and labels like '%prepaid%';
      update minutes set value = value + 2 where rowid in (select min(rowid) from minutes where partition = 0
        and "column" in ('total_orders_amount', 'total_paid_orders_amount') group by "column");
      insert or replace into pending_days select distinct stream, minute_ms - minute_ms % 86400000, 1 from minutes`)
    database.close()
    const { code, report, output } = await deep(copy.path)
    assert.equal(code, 1, output)
    assert.deepEqual(new Set(report.differences.map(({ check }) => check)), new Set(['recount']))
    const places = report.differences.map(({ where }) => where)
    assert.match(places[0]!, /^new_orders\/0, shop_ordered_units_total \{"payment":"prepaid"\}$/)
    assert.match(places[1]!, /^new_orders\/0, total_(paid_)?orders_amount of 20/)
    assert.equal(places.length, 3)
  })

  test('says where it cannot compare, and goes on', async () => {
    await withAdmin(brokers, async (admin) => {
      await admin.fetchTopicOffsets('web_requests') // kafkajs needs it first
      await admin.deleteTopicRecords({
        topic: 'web_requests',
        partitions: [{ partition: 1, offset: '5' }],
      })
    })
    const { code, report, output } = await deep(bridge.dataDir)
    assert.equal(code, 0, output)
    const [note] = report.notes.filter(({ where }) => where === 'web_requests/1')
    assert.match(note?.note ?? '', /^not checkable: Kafka begins at 5, and no checkpoint/)
    assert.equal(report.recounted!.length, 3)
  })
})

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
  const send = (of: typeof one, values: string[]) =>
    of!.transaction.send({
      topic: 'web_requests',
      messages: values.map((value) => ({ value, partition: 0 })),
    })
  await send(one, ['1', '1'])
  await send(other, ['1'])
  await send(third, ['1', '1', '1'])
  await other!.transaction.abort()
  await send(third, ['1', '1', '1'])
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
