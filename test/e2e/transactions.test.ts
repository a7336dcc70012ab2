import { after, before, describe, test } from 'node:test'
import type { Transaction } from 'kafkajs'
import { connect, produce } from '../broker/clients.ts'
import { fetchRaw } from '../broker/raw.ts'
import { until } from '../harness/until.ts'
import { useOwnKafka } from '../kafka/kafka.ts'
import { assertAccounted } from './accounting.ts'
import { type RunningBridge, startBridge } from './running-bridge.ts'
import { createTopics } from './topics.ts'

const { brokers, skip } = await useOwnKafka()

const TOPIC = 'web_requests'
/** Each test has a partition of its own, the next of these. */
const PARTITIONS = 4
/** A fetch brings 1 MiB of a partition: these fill several, and none of their batches fits beside three others. */
const LARGE_VALUE = 'x'.repeat(300_000)
const LARGE_BATCHES = 20
/** Of the commit or the abort that ends a transaction: a record that no consumer gets. */
const MARKER = 1

type Expected = { accepted: number; undelivered: number }
/** What became of each partition, as far as the tests have come. */
const outcomes: Expected[] = []

describe('transactions on Apache Kafka', { skip, concurrency: 1 }, () => {
  let bridge: RunningBridge
  before(async () => {
    await createTopics(brokers, PARTITIONS)
    bridge = await startBridge(brokers)
  })
  after(() => bridge?.[Symbol.asyncDispose]())

  test('two that overlap and are both aborted take nothing of what follows with them', async () => {
    const partition = outcomes.push({ accepted: 1, undelivered: 2 + 1 + 1 + 2 * MARKER }) - 1
    await using first = await transactionalProducer('first')
    await using second = await transactionalProducer('second')
    const [one, other] = [await first.begin(), await second.begin()]
    await send(one, partition, ['1', '1'])
    await send(other, partition, ['1'])
    await end(other, 'abort', partition)
    await send(one, partition, ['1'])
    await end(one, 'abort', partition)
    await produce(brokers, TOPIC, [{ value: '1', partition }])
    await assertOutcome(bridge, partition)
  })

  test('a partition of nothing but what was aborted is read to its end', async () => {
    const partition = outcomes.push({ accepted: 0, undelivered: 10 + MARKER }) - 1
    await using producer = await transactionalProducer('only')
    const transaction = await producer.begin()
    await send(transaction, partition, Array(10).fill('1'))
    await end(transaction, 'abort', partition)
    await assertOutcome(bridge, partition)
  })

  test('what lies behind megabytes that were aborted is counted within 10 s', async () => {
    const partition = outcomes.push({ accepted: 2, undelivered: LARGE_BATCHES + MARKER }) - 1
    await using producer = await transactionalProducer('large')
    await produce(brokers, TOPIC, [{ value: '1', partition }])
    const transaction = await producer.begin()
    for (let i = 0; i < LARGE_BATCHES; i++) await send(transaction, partition, [LARGE_VALUE])
    await end(transaction, 'abort', partition)
    await produce(brokers, TOPIC, [{ value: '1', partition }])
    await assertOutcome(bridge, partition)
  })

  test('what was committed is counted exactly, between transactions that were aborted', async () => {
    const partition = outcomes.push({ accepted: 3 * 10, undelivered: 2 * 5 + 5 * MARKER }) - 1
    await using producer = await transactionalProducer('both')
    for (const [records, how] of [
      [10, 'commit'],
      [5, 'abort'],
      [10, 'commit'],
      [5, 'abort'],
      [10, 'commit'],
    ] as const) {
      const transaction = await producer.begin()
      await send(transaction, partition, Array(records).fill('1'))
      await end(transaction, how, partition)
    }
    await assertOutcome(bridge, partition)
  })

  test('a bridge that comes when all is over counts the same', async () => {
    await using late = await startBridge(brokers)
    for (const partition of outcomes.keys()) await assertOutcome(late, partition)
    assertAccounted(late)
    assertAccounted(bridge)
  })
})

async function assertOutcome(bridge: RunningBridge, partition: number) {
  const { accepted, undelivered } = outcomes[partition]!
  const labels = { topic: TOPIC, partition: String(partition) }
  await bridge.shows('meterbridge_position', labels, accepted + undelivered, 10_000)
  await bridge.shows('meterbridge_records_total', { ...labels, result: 'accepted' }, accepted)
  await bridge.shows('meterbridge_undelivered_offsets_total', labels, undelivered)
  await bridge.shows('meterbridge_caught_up', { stream: 'requests' }, 1)
}

/** `begin` starts a transaction; the one before must have ended. */
async function transactionalProducer(transactionalId: string) {
  const producer = connect(brokers).producer({
    transactionalId,
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
  })
  await producer.connect()
  return {
    begin: () => producer.transaction(),
    [Symbol.asyncDispose]: () => producer.disconnect(),
  }
}

/** One batch. */
async function send(transaction: Transaction, partition: number, values: string[]) {
  await transaction.send({ topic: TOPIC, messages: values.map((value) => ({ value, partition })) })
}

/** Ends it, and waits until that stands in the log: Kafka answers before. */
async function end(transaction: Transaction, how: 'commit' | 'abort', partition: number) {
  const logEnd = async () => (await fetchRaw(brokers, TOPIC, { partition })).highWatermark
  const before = await logEnd()
  await transaction[how]()
  await until('the marker is written', async () => (await logEnd()) === before + MARKER)
}
