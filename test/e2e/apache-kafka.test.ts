import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { produce, withAdmin } from '../broker/clients.ts'
import { until } from '../harness/until.ts'
import { produceForeign, useKafka, useOwnKafka } from '../kafka/kafka.ts'
import { pipelineContract } from './pipeline-contract.ts'
import { restartContract } from './restart-contract.ts'
import { type Counts, type RunningBridge, startBridge } from './running-bridge.ts'
import { createTopics, order } from './topics.ts'

const FROM_NOW = { METERBRIDGE_START_FROM: 'latest' }
const FOUND_WITHIN_MS = 10_000
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const

/** Its own, without topics at first. */
const kafka = await useOwnKafka()
const { brokers, skip } = kafka
/** No other test file uses the two topics there: here, the minute has the requests and the restarts the orders. */
const shared = await useKafka()
if (!shared.skip) await createTopics(shared.brokers, 4)

/** Three strands that mostly wait: for the minute's end, for sessions to time out, and for metadata. */
describe('Apache Kafka', { skip, concurrency: 3 }, () => {
  test("a minute's row stands in the file 5 s after the minute's end", async () => {
    await using bridge = await startBridge(shared.brokers, FROM_NOW)
    // Not so near to the end of a minute that the request might be of the next.
    await until('the minute has 5 s left', () => Date.now() % 60_000 < 55_000, 10_000)
    await produce(shared.brokers, 'web_requests', [{ value: '1' }])
    const minute = new Date(Date.now() - (Date.now() % 60_000))
    const endMs = minute.getTime() + 60_000
    const datetime = minute.toISOString().slice(0, 19).replace('T', ' ')
    await until(
      'the row is there',
      () => bridge.rows('requests', datetime.slice(0, 10)).includes(`${datetime},1`),
      endMs + 10_000 - Date.now(),
    )
    assert.ok(Date.now() - endMs < 5_000, `${Date.now() - endMs} ms after the minute's end`)
  })

  describe('while the bridge ends, and while it runs', { concurrency: 1 }, () => {
    restartContract(shared.brokers)

    test('partitions that are added later are found within 10 s and read from their start', async () => {
      const { brokers } = shared
      await using bridge = await startBridge(brokers, FROM_NOW)
      await withAdmin(brokers, (admin) =>
        admin.createPartitions({ topicPartitions: [{ topic: 'new_orders', count: 6 }] }),
      )
      await until('the new partition takes records', () =>
        produce(brokers, 'new_orders', [{ value: order(1), partition: 5 }]),
      )
      await bridge.shows('shop_orders_total', {}, 1, FOUND_WITHIN_MS)
    })
  })

  describe('from event to counter and row', { concurrency: 1 }, () => {
    test('a topic that appears later is found within 10 s, and the other goes on', async () => {
      await createTopics(brokers, 4, ['web_requests'])
      await using bridge = await startBridge(brokers, FROM_NOW)
      await createTopics(brokers, 4, ['new_orders'])
      await produce(brokers, 'new_orders', [{ value: order(1) }])
      await bridge.shows('shop_orders_total', {}, 1, FOUND_WITHIN_MS)
      await produce(brokers, 'web_requests', [{ value: '1' }])
      await bridge.shows('web_requests_total', {}, 1)
    })

    describe('one bridge for many clients', () => {
      let bridge: RunningBridge
      before(async () => {
        bridge = await startBridge(brokers, FROM_NOW)
      })
      after(() => bridge?.[Symbol.asyncDispose]())

      pipelineContract(brokers, () => bridge)
      for (const codec of CODECS) {
        test(`orders from kafka-python in ${codec} are counted exactly`, async () => {
          const counts = await bridge.fromNow()
          await assertCounted([counts], { codec, count: 2_000 })
        })
      }
    })

    test(`over SASL_SSL with ${MECHANISMS.join(', ')} each bridge counts the same`, async () => {
      const { brokers, username, password } = kafka.sasl
      const { ca } = kafka.tls
      await using bridges = new AsyncDisposableStack()
      const start = async (mechanism: string) =>
        bridges.use(
          await startBridge(brokers, {
            ...FROM_NOW,
            KAFKA_TLS_CA: ca,
            KAFKA_SASL_MECHANISM: mechanism.toLowerCase(),
            KAFKA_SASL_USERNAME: username,
            KAFKA_SASL_PASSWORD: password,
          }),
        )
      const started = await Promise.all(MECHANISMS.map(start))
      const secure = { ca, mechanism: 'SCRAM-SHA-512' as const, username, password }
      await assertCounted(started, { brokers, codec: 'none', count: 500, secure })
    })
  })
})

type Foreign = Omit<Parameters<typeof produceForeign>[0], 'brokers' | 'topic'>

/** Orders of a client that is not ours arrive whole in each of the `bridges`. */
async function assertCounted(bridges: Counts[], records: Foreign & { brokers?: string }) {
  const totals = await produceForeign({ brokers, topic: 'new_orders', ...records })
  for (const bridge of bridges) {
    await bridge.shows('shop_orders_total', {}, totals.orders)
    await bridge.shows('shop_orders_total', { payment: 'prepaid' }, totals.paidOrders)
    await bridge.shows('shop_ordered_units_total', {}, totals.units)
    await bridge.shows('shop_order_value_total', {}, totals.price)
    await bridge.shows('shop_order_value_total', { payment: 'prepaid' }, totals.paidPrice)
  }
}
