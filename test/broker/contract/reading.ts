import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../harness/until.ts'
import { createTopic, produce, startConsumer, uniqueName, values, withAdmin } from '../clients.ts'
import { fetchRaw } from '../raw.ts'

const OFFSET_OUT_OF_RANGE = 1
const UNKNOWN_TOPIC_OR_PARTITION = 3
/** Far above what a wake-up takes on a busy machine, far below the longest wait. */
const PROMPT_MS = 2_000
const LONG_WAIT_MS = 10_000

export function readingContract(brokers: string) {
  test('a new group reads from the earliest record, or from the latest, as it asked', async () => {
    const topic = await createTopic(brokers)
    await produce(brokers, topic, [{ value: 'old' }])
    await using earliest = await startConsumer(brokers, topic)
    await using latest = await startConsumer(brokers, topic, { fromBeginning: false })
    await earliest.gets(1)
    await until('the other has joined', () => latest.assigned())
    await until('what comes now is read', async () => {
      await produce(brokers, topic, [{ value: 'new' }])
      return latest.received.length > 0
    })
    assert.equal(values(earliest.received)[0], 'old')
    assert.ok(!values(latest.received).includes('old'))
  })

  test('a consumer reads on from the offset that it seeks to', async () => {
    const topic = await createTopic(brokers)
    await produce(brokers, topic, [{ value: 'a' }, { value: 'b' }])
    await produce(brokers, topic, [{ value: 'c' }])
    await using running = await startConsumer(brokers, topic)
    await running.gets(3)
    for (const [offset, expected] of [
      ['2', 'c'],
      ['1', 'b'],
    ] as const) {
      const before = running.received.length
      running.consumer.seek({ topic, partition: 0, offset })
      await running.gets(before + 1)
      assert.equal(values(running.received)[before], expected)
    }
  })

  test('offsets are found by timestamp', async () => {
    const topic = await createTopic(brokers)
    const start = Date.now() - 60_000
    for (const [i, value] of ['a', 'b', 'c'].entries()) {
      await produce(brokers, topic, [{ value, timestamp: String(start + i * 1_000) }])
    }
    const offsetAt = (timestamp: number) =>
      withAdmin(brokers, async (admin) => {
        const [found] = await admin.fetchTopicOffsetsByTimestamp(topic, timestamp)
        return found?.offset
      })
    assert.equal(await offsetAt(start - 1), '0')
    assert.equal(await offsetAt(start + 1_000), '1')
    assert.equal(await offsetAt(start + 1_001), '2')
    assert.equal(await offsetAt(start + 2_001), '3')
  })

  test('a waiting fetch is answered as soon as there is something', async () => {
    const topic = await createTopic(brokers)
    const waiting = fetchRaw(brokers, topic, { maxWaitMs: LONG_WAIT_MS })
    await produce(brokers, topic, [{ value: 'now' }])
    const { batches, elapsedMs } = await waiting
    assert.ok(batches.length > 0)
    assert.ok(elapsedMs < PROMPT_MS, `${elapsedMs} ms`)
  })

  test('a fetch waits for as many bytes as it wants, and no longer than it says', async () => {
    const topic = await createTopic(brokers)
    const nothing = await fetchRaw(brokers, topic, { maxWaitMs: 300 })
    assert.deepEqual([nothing.error, nothing.batches.length], [0, 0])
    assert.ok(nothing.elapsedMs >= 290 && nothing.elapsedMs < PROMPT_MS, `${nothing.elapsedMs} ms`)

    await produce(brokers, topic, [{ value: 'little' }])
    const little = await fetchRaw(brokers, topic, { maxWaitMs: 300, minBytes: 10_000 })
    assert.ok(little.batches.length > 0)
    assert.ok(little.elapsedMs >= 290, `${little.elapsedMs} ms`)
  })

  test('a fetch gives the first batch whole, however little it asks for', async () => {
    const topic = await createTopic(brokers)
    await produce(brokers, topic, [{ value: 'x'.repeat(10_000) }])
    await produce(brokers, topic, [{ value: 'second' }])
    const { batches } = await fetchRaw(brokers, topic, { maxBytes: 100 })
    assert.equal(batches.length, batches.readInt32BE(8) + 12)
  })

  test('an offset beyond the end is out of range; the end itself is empty', async () => {
    const topic = await createTopic(brokers)
    await produce(brokers, topic, [{ value: 'only' }])
    const end = await fetchRaw(brokers, topic, { offset: 1 })
    assert.deepEqual([end.error, end.highWatermark, end.batches.length], [0, 1, 0])
    for (const offset of [2, -5]) {
      const { error } = await fetchRaw(brokers, topic, { offset })
      assert.equal(error, OFFSET_OUT_OF_RANGE)
    }
  })

  test('a fetch of what does not exist says so at once', async () => {
    const topic = await createTopic(brokers)
    for (const [name, partition] of [
      [uniqueName('missing'), 0],
      [topic, 1],
    ] as const) {
      const { error, elapsedMs } = await fetchRaw(brokers, name, {
        partition,
        maxWaitMs: LONG_WAIT_MS,
      })
      assert.equal(error, UNKNOWN_TOPIC_OR_PARTITION)
      assert.ok(elapsedMs < PROMPT_MS, `${elapsedMs} ms`)
    }
  })
}
