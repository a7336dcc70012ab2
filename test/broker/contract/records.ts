import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { CompressionTypes } from 'kafkajs'
import { encodeBatch } from '../../bridge/record-batch.ts'
import { connect, createTopic, produce, readAll, values, withAdmin } from '../clients.ts'
import { fetchRaw, produceRaw } from '../raw.ts'

const CORRUPT_MESSAGE = 2
const LARGE_BYTES = 5 * 2 ** 20

export function recordContract(brokers: string) {
  test('key, value, headers and timestamp arrive as they were sent', async () => {
    const topic = await createTopic(brokers)
    const timestamp = String(Date.now() - 5_000)
    await produce(brokers, topic, [
      { key: 'k', value: 'v', timestamp, headers: { a: 'é', b: '' } },
      { key: null, value: null, timestamp },
      { key: '', value: '', timestamp },
    ])
    const [first, tombstone, empty] = await readAll(brokers, topic, 3)
    assert.deepEqual([String(first?.key), String(first?.value)], ['k', 'v'])
    assert.deepEqual(
      Object.entries(first?.headers ?? {}).map(([name, value]) => [name, String(value)]),
      [
        ['a', 'é'],
        ['b', ''],
      ],
    )
    assert.equal(first?.timestamp, timestamp)
    assert.deepEqual([tombstone?.key, tombstone?.value], [null, null])
    assert.deepEqual([empty?.key?.length, empty?.value?.length], [0, 0])
  })

  test('records of one key keep their order in one partition', async () => {
    const topic = await createTopic(brokers, { numPartitions: 4 })
    const sent = Array.from({ length: 20 }, (_, i) => ({ key: 'same', value: String(i) }))
    await produce(brokers, topic, sent)
    const received = await readAll(brokers, topic, sent.length)
    assert.equal(new Set(received.map(({ partition }) => partition)).size, 1)
    assert.deepEqual(
      values(received),
      sent.map(({ value }) => value),
    )
  })

  for (const acks of [-1, 1, 0]) {
    test(`records sent with acks=${acks} are there, with the offset told where one is`, async () => {
      const topic = await createTopic(brokers)
      const [first] = await produce(brokers, topic, [{ value: 'a' }], { acks })
      assert.equal(first?.baseOffset, acks === 0 ? undefined : '0')
      assert.deepEqual(values(await readAll(brokers, topic, 1)), ['a'])
    })
  }

  test('an idempotent producer may write', async () => {
    const topic = await createTopic(brokers)
    const producer = connect(brokers).producer({ idempotent: true })
    await producer.connect()
    for (const value of ['a', 'b']) await producer.send({ topic, messages: [{ value }] })
    await producer.disconnect()
    assert.deepEqual(values(await readAll(brokers, topic, 2)), ['a', 'b'])
  })

  test('a batch that kafkajs compressed with gzip comes back', async () => {
    const topic = await createTopic(brokers)
    const messages = Array.from({ length: 100 }, (_, i) => ({ value: `value ${i}` }))
    await produce(brokers, topic, messages, { compression: CompressionTypes.GZIP })
    const received = values(await readAll(brokers, topic, messages.length))
    assert.deepEqual(
      received,
      messages.map(({ value }) => value),
    )
  })

  test('a record of 5 MiB passes whole where the topic allows it', async () => {
    const configEntries = [{ name: 'max.message.bytes', value: String(LARGE_BYTES * 2) }]
    const topic = await createTopic(brokers, { configEntries })
    const value = randomBytes(LARGE_BYTES)
    await produce(brokers, topic, [{ value }, { value: 'after' }])
    const [large, after] = await readAll(brokers, topic, 2)
    assert.ok(large?.value?.equals(value))
    assert.equal(String(after?.value), 'after')
  })

  test('a batch whose checksum is wrong is refused and leaves nothing', async () => {
    const topic = await createTopic(brokers)
    const batch = encodeBatch({ records: [{ value: 'v', timestampMs: Date.now() }] })
    const broken = Buffer.from(batch)
    broken[broken.length - 2]! ^= 1
    assert.equal((await produceRaw(brokers, topic, broken)).error, CORRUPT_MESSAGE)
    const intact = await produceRaw(brokers, topic, batch)
    assert.deepEqual([intact.error, intact.baseOffset], [0, 0])
  })

  test('a stored batch differs from the sent one in its offset and leader epoch alone', async () => {
    const topic = await createTopic(brokers)
    const record = { value: 'v', key: 'k', timestampMs: Date.now() }
    const batch = encodeBatch({ records: [record, record] })
    for (const baseOffset of [0, 2]) {
      assert.equal((await produceRaw(brokers, topic, Buffer.from(batch))).baseOffset, baseOffset)
      const { batches } = await fetchRaw(brokers, topic, { offset: baseOffset })
      assert.equal(batches.readBigInt64BE(), BigInt(baseOffset))
      assert.ok(batches.subarray(16).equals(batch.subarray(16)))
    }
    const [offsets] = await withAdmin(brokers, (admin) => admin.fetchTopicOffsets(topic))
    assert.equal(offsets?.high, '4')
  })
}
