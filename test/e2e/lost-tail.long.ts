import assert from 'node:assert/strict'
import { globSync, rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { produce, withAdmin } from '../broker/clients.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { until } from '../harness/until.ts'
import { missingForKafka, startKafka } from '../kafka/kafka.ts'
import { startBridge } from './running-bridge.ts'
import { createTopics, order } from './topics.ts'

const TOPIC = 'new_orders'
const DECIDED_WITHIN_MS = 60_000

test('a topic that lost its tail while the bridge runs: what is left counts once, and what comes is counted', {
  skip: missingForKafka() ?? false,
}, async () => {
  using folder = temporaryFolder()
  await using kafka = await startKafka({ folder: folder.path })
  await createTopics(kafka.brokers, 1)
  const orders = (count: number) =>
    produce(
      kafka.brokers,
      TOPIC,
      Array.from({ length: count }, (_, i) => ({ value: order(i) })),
    )
  const [segment] = globSync(`${folder.path}/**/${TOPIC}-0/*.log`)
  await using bridge = await startBridge(kafka.brokers)
  await orders(5)
  const sizeOfFive = statSync(segment!).size
  await orders(5)
  await bridge.shows('shop_orders_total', {}, 10)

  // As after an unclean election, or a disk that was put back from a copy.
  await kafka.stop()
  truncateSync(segment!, sizeOfFive)
  for (const file of globSync(join(segment!, '..', '*.{index,timeindex,snapshot}'))) rmSync(file)
  await kafka.restart()
  await until('the log ends at 5', async () => {
    const [bounds] = await withAdmin(kafka.brokers, (admin) => admin.fetchTopicOffsets(TOPIC))
    return bounds?.high === '5'
  })

  await bridge.shows('meterbridge_position', { topic: TOPIC }, 5, DECIDED_WITHIN_MS)
  assert.match(bridge.service().output(), /the topic lost records that were counted \(it ends at 5/)
  await orders(3)
  await bridge.shows('shop_orders_total', {}, 13)
  await bridge.shows('meterbridge_position', { topic: TOPIC }, 8)
})
