import { cpSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { pino } from 'pino'
import { createFold } from '../../services/bridge/fold/index.ts'
import { createPublisher } from '../../services/bridge/rollup/index.ts'
import { openSqliteStore, type Store } from '../../services/bridge/store/index.ts'
import { type StreamDefinition, streams } from '../../services/bridge/streams/index.ts'
import { makeKnown } from '../../services/bridge/streams-known.ts'
import { HEADERS } from '../../services/kafka/headers.ts'
import { type TestRecord, testBatch } from '../bridge/record-batch.ts'
import { order } from '../e2e/topics.ts'
import { temporaryFolder } from '../harness/folder.ts'

export const DAY = Date.UTC(2026, 4, 1)
const MINUTE_MS = 60_000
const NOW = DAY + 2 * 24 * 60 * MINUTE_MS

/** The file of the first day of orders, below the lake. */
export const ORDERS_FILE = 'csv/orders/dt=2026-05-01/orders.csv'

/** A data folder whose store and files agree: two streams, two days, dead letters, duplicates, a gap, a late event. */
export async function makeData(folder: string) {
  const store = openSqliteStore(join(folder, 'bridge'))
  await makeKnown(store, streams, DAY + 60 * MINUTE_MS)
  const publisher = createPublisher(
    store,
    join(folder, 'lake'),
    pino({ level: 'silent' }),
    () => {},
  )
  const [requests, orders] = [streamOf('requests'), streamOf('orders')]
  const publishAll = async () => {
    for (const stream of [requests, orders]) await publisher.publish(stream, NOW, NOW)
  }
  await count(store, requests, 0, [
    at(61, '1'),
    at(61, '{"route":"/"}'),
    at(1_500, '1'),
    at(62, null),
  ])
  await count(store, orders, 0, [
    at(1, order(1, 2)),
    numbered(1, at(61, order(2, 3, false))),
    numbered(1, at(61, order(2, 3, false))),
    numbered(4, at(1_500, order(5))),
    at(70, 'no order'),
  ])
  await count(store, orders, 1, [at(90, order(6, 7)), at(91, order(7, 8, false))])
  await publishAll()
  await count(store, orders, 1, [at(92, order(8, 9))])
  await publishAll()
  await store.end()
}

/** A copy of `folder` in which `sql` was run on the store. */
export function broken(folder: string, sql: string) {
  const copy = temporaryFolder()
  cpSync(folder, copy.path, { recursive: true })
  const database = new Database(join(copy.path, 'bridge', 'bridge.db'))
  // A check constraint that somebody edited around, too.
  database.pragma('ignore_check_constraints = ON')
  database.exec(sql)
  database.close()
  return copy
}

function streamOf(name: string): StreamDefinition {
  return streams.find((stream) => stream.name === name)!
}

/** A record that happened `minute` minutes into the day. */
function at(minute: number, value: string | null): TestRecord {
  return { value, headers: { [HEADERS.time]: String(DAY + minute * MINUTE_MS) } }
}

function numbered(number: number, record: TestRecord): TestRecord {
  const headers = { [HEADERS.source]: 'a', [HEADERS.sequence]: String(number) }
  return { ...record, headers: { ...record.headers, ...headers } }
}

/** As the bridge counts them: one fetch of one batch. */
async function count(
  store: Store,
  stream: StreamDefinition,
  partition: number,
  records: TestRecord[],
) {
  const key = { topic: stream.topic, partition, incarnation: 1 }
  const [state] = await store.begin([{ ...key, stream: stream.name, start: 0 }])
  const { position } = state!
  const batch = testBatch({ records, baseOffset: position })
  const to = position + records.length
  const delta = createFold(stream).run(state!, [batch], to, 0, NOW)
  if ((await store.commit(delta)) !== 'committed') throw new Error('not committed')
}
