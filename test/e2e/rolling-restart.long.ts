import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withAdmin } from '../broker/clients.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { until } from '../harness/until.ts'
import { missingForKafka, startCluster } from '../kafka/kafka.ts'
import { createTopics, TOPICS } from './topics.ts'
import { underLoad } from './under-load.ts'

const REPLICAS = 3
const COUNTING_AGAIN_MS = 15_000
const IN_SYNC_DEADLINE_MS = 60_000

test('three brokers restarted one after the other under load: exact', {
  skip: missingForKafka(),
}, async (context) => {
  using folder = temporaryFolder()
  await using cluster = await startCluster(folder.path)
  const [first = ''] = cluster.brokers.split(',')
  await createTopics(first, REPLICAS)
  const totals = await underLoad(folder.path, cluster.brokers, async ({ recoveryMs }) => {
    for (const [i, node] of cluster.nodes.entries()) {
      await node.restart()
      const ms = await recoveryMs()
      context.diagnostic(`broker ${i + 1}: counting again after ${ms} ms`)
      assert.ok(ms < COUNTING_AGAIN_MS, `broker ${i + 1}: counting again after ${ms} ms`)
      await until('all replicas are in sync', () => inSync(first), IN_SYNC_DEADLINE_MS)
    }
  })
  context.diagnostic(JSON.stringify(totals))
  assert.equal(totals.unanswered + totals.failed, 0)
})

async function inSync(broker: string): Promise<boolean> {
  const { topics } = await withAdmin(broker, (admin) =>
    admin.fetchTopicMetadata({ topics: TOPICS }),
  )
  return topics.every(({ partitions }) => partitions.every(({ isr }) => isr.length === REPLICAS))
}
