import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { createFold, type Delta } from '../../services/bridge/fold/index.ts'
import { Intake } from '../../services/bridge/intake/index.ts'
import type { Cluster, Source } from '../../services/bridge/source/index.ts'
import { openSqliteStore } from '../../services/bridge/store/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'
import { createLogger } from '../../services/runtime/logger.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { testBatch } from './record-batch.ts'

const PARTITION = { topic: 'web_requests', partition: 0 }
const requests = streams.find(({ name }) => name === 'requests')!
const RECORDS = 4

/** A topic of some records that never changes. */
const cluster: Cluster = {
  bounds: async () => ({
    topicId: undefined,
    partitions: [{ partition: 0, low: 0, high: RECORDS }],
  }),
  topics: async () => new Set([PARTITION.topic]),
  create: async () => {},
  renew: async () => {},
  disconnect: async () => {},
}

/** A fetch at `from`, of all that there is. */
function fetched(from: number) {
  const batch = testBatch({ records: Array.from({ length: RECORDS }, () => ({ value: '1' })) })
  const offsets = { askedOffset: from, firstOffset: 0, nextOffset: RECORDS }
  return { ...PARTITION, batches: [batch], withheld: [], ...offsets }
}

test('what is told of a commit is durable by then, and of what was moved elsewhere nothing is told', async () => {
  using folder = temporaryFolder()
  const store = openSqliteStore(folder.path)
  await store.addStream('requests', 0, 0)
  const beside = new Database(join(folder.path, 'bridge.db'), { readonly: true })
  const position = () => beside.prepare('select position from partitions').pluck().get()
  const told: { delta: Delta; durable: unknown }[] = []
  const sought: number[] = []
  const intakes = [0, 1].map(() => {
    const intake = new Intake({
      store,
      cluster,
      folds: new Map([[PARTITION.topic, createFold(requests)]]),
      now: Date.now,
      logger: createLogger('bridge', 'silent'),
      onPlaced: () => {},
      onCommit: (delta) => told.push({ delta, durable: position() }),
    })
    const seek: Source['seek'] = (_, offset) => sought.push(offset)
    intake.connect({ seek, pause: () => {}, resume: () => {} } as unknown as Source)
    return intake
  })
  for (const intake of intakes) await intake.assigned([PARTITION])
  assert.deepEqual(sought, [0, 0])
  for (const intake of intakes) await intake.fetched(fetched(0))
  assert.deepEqual(
    told.map(({ delta, durable }) => [delta.from, delta.to, durable]),
    [[0, RECORDS, RECORDS]],
  )
  // The second looks again where it is, and whether that is still the record it counted before.
  assert.deepEqual(sought, [0, 0, RECORDS - 1])
  const [total] = (await store.snapshot()).series
  assert.equal(total?.value, BigInt(RECORDS))
  for (const intake of intakes) await intake.stop()
  beside.close()
  await store.end()
})
