import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { produce, withAdmin } from '../broker/clients.ts'
import { until } from '../harness/until.ts'
import { useOwnKafka } from '../kafka/kafka.ts'
import { startBridge } from './running-bridge.ts'

const { brokers, skip } = await useOwnKafka()

const TOPIC = 'web_requests'

/** Both topics are new, empty and of one partition. */
async function freshTopics() {
  for (const topic of [TOPIC, 'new_orders']) await recreate(topic)
}

async function recreate(topic: string) {
  await withAdmin(brokers, async (admin) => {
    const exists = async () => (await admin.listTopics()).includes(topic)
    if (await exists()) await admin.deleteTopics({ topics: [topic] })
    await until(`${topic} is deleted`, async () => !(await exists()))
    await until(`${topic} is made`, async () => {
      await admin.createTopics({ topics: [{ topic }], waitForLeaders: false })
      return (await admin.fetchTopicOffsets(topic)).length === 1
    })
  })
}

async function requests(count: number, topic = TOPIC) {
  const order = '{"order_id":1,"order_amount":1,"order_total_price":15,"is_paid":true}'
  const value = topic === TOPIC ? '1' : order
  await produce(
    brokers,
    topic,
    Array.from({ length: count }, () => ({ value })),
  )
}

/** Takes the records below `offset` away, as retention does. */
async function forget(offset: number) {
  await withAdmin(brokers, async (admin) => {
    await admin.fetchTopicOffsets(TOPIC) // kafkajs finds no leader without
    await admin.deleteTopicRecords({
      topic: TOPIC,
      partitions: [{ partition: 0, offset: String(offset) }],
    })
  })
}

describe('a log that is not what it was', { skip }, () => {
  for (const [how, length] of [
    ['shorter', 3],
    ['longer', 30],
  ] as const) {
    test(`a topic made anew while the bridge was stopped, now ${how}: all its records count`, async () => {
      await freshTopics()
      await using bridge = await startBridge(brokers)
      await requests(10)
      await bridge.shows('web_requests_total', {}, 10)
      await bridge.service().end('SIGTERM')
      await recreate(TOPIC)
      await requests(length)
      await bridge.restart()
      await bridge.shows('web_requests_total', {}, 10 + length)
      assert.equal(await bridge.value('meterbridge_skipped_offsets_total', { topic: TOPIC }), 0)
    })
  }

  test('a topic deleted while the bridge runs: the other goes on; made anew, all its records count', async () => {
    await freshTopics()
    await using bridge = await startBridge(brokers)
    await requests(10)
    await bridge.shows('web_requests_total', {}, 10)
    await withAdmin(brokers, (admin) => admin.deleteTopics({ topics: [TOPIC] }))
    await requests(5, 'new_orders')
    await bridge.shows('shop_orders_total', {}, 5, 20_000)
    await recreate(TOPIC)
    await requests(30)
    await bridge.shows('web_requests_total', {}, 40, 20_000)
    await requests(1, 'new_orders')
    await bridge.shows('shop_orders_total', {}, 6)
  })

  test('records that were gone before they were read are skipped, stopped or running, and counted as such', async () => {
    await freshTopics()
    await using bridge = await startBridge(brokers)
    await requests(10)
    await bridge.shows('web_requests_total', {}, 10)
    await bridge.service().end('SIGTERM')
    await requests(20)
    await forget(25)
    await bridge.restart()
    await bridge.shows('web_requests_total', {}, 15)
    await bridge.shows('meterbridge_skipped_offsets_total', { topic: TOPIC }, 15)
    // All of it gone: no record comes to show the gap.
    await bridge.service().end('SIGTERM')
    await requests(20)
    await forget(50)
    await bridge.restart()
    await bridge.shows('meterbridge_position', { topic: TOPIC }, 50)
    await bridge.shows('meterbridge_skipped_offsets_total', { topic: TOPIC }, 35)
    await requests(1)
    await bridge.shows('web_requests_total', {}, 16)
  })
})
