import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { produce, withAdmin } from '../broker/clients.ts'
import { until } from '../harness/until.ts'
import { type ForeignRecords, missingForKafka, produceForeign, startKafka } from '../kafka/kafka.ts'
import { createTopics, order, pipelineContract } from './pipeline-contract.ts'
import { startBridge } from './running-bridge.ts'

const skip = missingForKafka() ?? false
if (skip && process.env.CI === 'true') throw new Error(skip)
/** Its own: the topics have fixed names. */
const kafka = skip ? undefined : await startKafka()
after(() => kafka?.stop())
const brokers = kafka?.brokers ?? ''
if (kafka) await createTopics(brokers, 4)

pipelineContract('Apache Kafka', brokers, skip)

describe('Apache Kafka alone', { skip }, () => {
  const FROM_NOW = { METERBRIDGE_START_FROM: 'latest' }

  for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
    test(`orders from kafka-python in ${codec} are counted exactly`, async () => {
      await using bridge = await startBridge(brokers, FROM_NOW)
      await assertCounted(bridge, { brokers, topic: 'new_orders', codec, count: 2_000 })
    })
  }

  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
    test(`over SASL_SSL with ${mechanism}`, async () => {
      const { brokers, username, password } = kafka!.sasl
      const { ca } = kafka!.tls
      await using bridge = await startBridge(brokers, {
        ...FROM_NOW,
        KAFKA_TLS_CA: ca,
        KAFKA_SASL_MECHANISM: mechanism.toLowerCase(),
        KAFKA_SASL_USERNAME: username,
        KAFKA_SASL_PASSWORD: password,
      })
      const secure = { ca, mechanism, username, password }
      await assertCounted(bridge, {
        brokers,
        topic: 'new_orders',
        codec: 'none',
        count: 500,
        secure,
      })
    })
  }

  test('partitions that are added later are found within 10 s and read from their start', async () => {
    await using bridge = await startBridge(brokers, FROM_NOW)
    await withAdmin(brokers, (admin) =>
      admin.createPartitions({ topicPartitions: [{ topic: 'web_requests', count: 6 }] }),
    )
    await until('the new partition takes records', async () => {
      await produce(brokers, 'web_requests', [{ value: '1', partition: 5 }])
      return true
    })
    await bridge.shows('web_requests_total', {}, 1, 10_000)
  })

  test("a minute's row stands in the file 5 s after the minute's end", async () => {
    await using bridge = await startBridge(brokers, FROM_NOW)
    // Not so near to the end of a minute that the order might be of the next.
    await until('the minute has 5 s left', () => Date.now() % 60_000 < 55_000, 10_000)
    await produce(brokers, 'new_orders', [{ value: order(1, 2) }])
    const minute = new Date(Date.now() - (Date.now() % 60_000))
    const endMs = minute.getTime() + 60_000
    const datetime = minute.toISOString().slice(0, 19).replace('T', ' ')
    await until(
      'the row is there',
      () => bridge.rows('orders', datetime.slice(0, 10)).includes(`${datetime},1,2,30,1,2,30`),
      endMs + 10_000 - Date.now(),
    )
    assert.ok(Date.now() - endMs < 5_000, `${Date.now() - endMs} ms after the minute's end`)
  })
})

test('a topic that appears later is found within 10 s', { skip }, async () => {
  await using fresh = await startKafka()
  await withAdmin(fresh.brokers, (admin) =>
    admin.createTopics({ topics: [{ topic: 'web_requests' }] }),
  )
  await using bridge = await startBridge(fresh.brokers)
  await withAdmin(fresh.brokers, (admin) =>
    admin.createTopics({ topics: [{ topic: 'new_orders' }] }),
  )
  await produce(fresh.brokers, 'new_orders', [{ value: order(1) }])
  await bridge.shows('shop_orders_total', {}, 1, 10_000)
  await produce(fresh.brokers, 'web_requests', [{ value: '1' }])
  await bridge.shows('web_requests_total', {}, 1)
})

async function assertCounted(
  bridge: Awaited<ReturnType<typeof startBridge>>,
  records: ForeignRecords,
) {
  const totals = await produceForeign(records)
  await bridge.shows('shop_orders_total', {}, totals.orders)
  await bridge.shows('shop_orders_total', { payment: 'prepaid' }, totals.paidOrders)
  await bridge.shows('shop_ordered_units_total', {}, totals.units)
  await bridge.shows('shop_order_value_total', {}, totals.price)
  await bridge.shows('shop_order_value_total', { payment: 'prepaid' }, totals.paidPrice)
}
