// First: it must come before kafkajs does.
import '../../services/bridge/source/raw-batches.ts'
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { type LogReader, openLogReader } from '../../services/bridge/source/index.ts'
import { connect, createTopic, produce, withAdmin } from '../broker/clients.ts'
import { startDevelopmentBroker } from '../broker/development-broker.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { useKafka } from '../kafka/kafka.ts'

const kafka = await useKafka()
const folder = temporaryFolder()
const development = await startDevelopmentBroker(folder.path)
after(async () => {
  await development[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

describe('Apache Kafka', { skip: kafka.skip }, () => {
  readerTests(kafka.brokers)

  test('what retention took away is not there, and the others tell where the log starts', async () => {
    await using reader = open(kafka.brokers)
    const topic = await createTopic(kafka.brokers)
    for (const value of ['a', 'b', 'c']) await produce(kafka.brokers, topic, [{ value }])
    await withAdmin(kafka.brokers, async (admin) => {
      await admin.fetchTopicOffsets(topic) // kafkajs finds no leader without
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] })
    })
    assert.equal(await reader.batchAt({ topic, partition: 0 }, 1), undefined)
    assert.equal(await reader.read({ topic, partition: 0 }, 1), undefined)
    assert.equal((await reader.read({ topic, partition: 0 }, 2))?.low, 2)
  })

  test('what a transaction took back is withheld, and what stands open is not read', async () => {
    const topic = await createTopic(kafka.brokers)
    const of = { topic, partition: 0 }
    const producer = connect(kafka.brokers).producer({
      transactionalId: topic,
      idempotent: true,
      maxInFlightRequests: 1,
    })
    await producer.connect()
    const messages = [{ value: 'no', partition: 0 }]
    const taken = await producer.transaction()
    await taken.send({ topic, messages })
    await taken.abort()
    const pending = await producer.transaction()
    await pending.send({ topic, messages })
    await using reader = open(kafka.brokers)
    const reading = await reader.read(of, 0)
    assert.deepEqual(reading?.batches, [])
    assert.deepEqual(
      reading?.withheld.map(({ baseOffset }) => baseOffset),
      [0, 1],
    )
    assert.equal(reading?.lastStableOffset, 2)
    assert.equal(reading?.highWatermark, 3)
    assert.equal(await reader.batchAt(of, 0), undefined)
    await pending.abort()
    await producer.disconnect()
  })
})

describe('development broker', () => readerTests(development.brokers))

function open(brokers: string): LogReader & AsyncDisposable {
  const reader = openLogReader(connect(brokers))
  return { ...reader, [Symbol.asyncDispose]: () => reader.disconnect() }
}

function readerTests(brokers: string) {
  test('reads on from any offset to the end of a partition, in whole batches', async () => {
    const topic = await createTopic(brokers, { numPartitions: 2 })
    const of = { topic, partition: 1 }
    const large = 'x'.repeat(600_000)
    for (const value of ['a', large, large, 'b'])
      await produce(brokers, topic, [{ value, partition: 1 }])
    await using reader = open(brokers)
    const seen: number[] = []
    let at = 1
    for (;;) {
      const reading = (await reader.read(of, at))!
      assert.equal(reading.low, 0)
      assert.equal(reading.lastStableOffset, 4)
      if (reading.nextOffset === at) break
      seen.push(...reading.batches.map(({ baseOffset }) => baseOffset))
      at = reading.nextOffset
    }
    assert.deepEqual(seen, [1, 2, 3])
    assert.equal(await reader.read(of, 5), undefined)
  })

  test('finds the one batch that holds an offset, however large it is', async () => {
    const topic = await createTopic(brokers)
    const of = { topic, partition: 0 }
    await produce(brokers, topic, [{ value: 'a' }])
    await produce(brokers, topic, [{ value: 'x'.repeat(3_000_000) }, { value: 'b' }])
    await using reader = open(brokers)
    const batch = await reader.batchAt(of, 2)
    assert.deepEqual([batch?.baseOffset, batch?.lastOffset], [1, 2])
    assert.equal(await reader.batchAt(of, 3), undefined)
    assert.equal(await reader.batchAt(of, 9), undefined)
  })

  test('fails by name where there is no such partition, and reads others afterwards', async () => {
    const topic = await createTopic(brokers)
    await produce(brokers, topic, [{ value: 'a' }])
    await using reader = open(brokers)
    await assert.rejects(reader.read({ topic, partition: 7 }, 0), /no partition 7/)
    await assert.rejects(reader.read({ topic: 'never-made', partition: 0 }, 0))
    assert.equal((await reader.read({ topic, partition: 0 }, 0))?.batches.length, 1)
  })
}
