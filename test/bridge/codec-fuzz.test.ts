import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { batchSizeAt, readBatchHeader } from '../../services/bridge/codec/index.ts'
import { createFold } from '../../services/bridge/fold/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'
import { COMPRESSIONS } from './compressions.ts'
import { heldBytes } from './held-bytes.ts'
import { accounting, partitionState } from './partition-state.ts'
import { encodeBatch } from './record-batch.ts'

const CASES = 1_200
/** Also with the other core busy; the largest case is a body that may become 128 MiB. */
const CASE_DEADLINE_MS = 3_000
const MAX_GROWTH_BYTES = 16 * 1024 * 1024
const NOW = Date.UTC(2026, 4, 1)
const fold = createFold(streams.find(({ name }) => name === 'orders')!)

const record = fc.record({
  value: fc.oneof(
    fc.constant('{"order_id":7,"order_amount":2,"order_total_price":30,"is_paid":true}'),
    fc.constant(null),
    fc.string(),
    fc.json(),
  ),
  key: fc.option(fc.string()),
  timestampMs: fc.oneof(fc.constant(-1), fc.integer({ min: 0, max: NOW })),
  headers: fc.dictionary(
    fc.constantFrom('mb-time', 'mb-source', 'mb-seq', 'mb-prev', 'other'),
    fc.oneof(fc.string(), fc.nat().map(String)),
  ),
})

/** A place as a part of the length, so that it means the same while the batch shrinks; `near` places fall into the headers. */
const mutation = fc.record({
  kind: fc.constantFrom('set', 'flip', 'cut', 'double', 'integer'),
  near: fc.boolean(),
  place: fc.double({ min: 0, max: 0.999, noNaN: true }),
  byte: fc.nat(255),
  integer: fc.constantFrom(-1, 0, 1, 2 ** 31 - 1, -(2 ** 31), 0x7fff),
})

type Mutation = typeof mutation extends fc.Arbitrary<infer M> ? M : never

/** Behind the header's offset and length, which a fetch is cut up by. */
const FIRST_MUTABLE = 12
const NEAR_BYTES = 90

function mutate(whole: Buffer, { kind, near, place, byte, integer }: Mutation): Buffer {
  const room = near ? Math.min(NEAR_BYTES, whole.length) : whole.length
  const at = FIRST_MUTABLE + Math.floor(place * (room - FIRST_MUTABLE))
  const bytes = Buffer.from(whole)
  if (kind === 'cut') return bytes.subarray(0, Math.max(61, at))
  if (kind === 'double') return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at - 8)])
  if (kind === 'set') bytes[at] = byte
  else if (kind === 'flip') bytes[at] = bytes[at]! ^ (1 << (byte & 7))
  else if (at + 4 <= bytes.length) bytes.writeInt32BE(integer, at)
  return bytes
}

test('no damage to a batch, in any codec, throws, hangs, stays in memory or loses an offset', async () => {
  let slowestMs = 0
  const property = fc.property(
    fc.constantFrom(...COMPRESSIONS),
    fc.array(record, { minLength: 1, maxLength: 12 }),
    fc.array(mutation, { minLength: 1, maxLength: 3 }),
    ({ codecId, compress }, records, mutations) => {
      const whole = encodeBatch({ baseOffset: 1_000, records, codecId, compress })
      const bytes = mutations.reduce(mutate, whole)
      bytes.writeInt32BE(bytes.length - FIRST_MUTABLE, 8)
      assert.ok([0, bytes.length].includes(batchSizeAt(bytes, 0)))
      const batch = readBatchHeader(bytes)
      const started = performance.now()
      const delta = fold.run(
        partitionState({ position: 1_000 }),
        [batch],
        batch.lastOffset + 1,
        0,
        NOW,
      )
      slowestMs = Math.max(slowestMs, performance.now() - started)
      assert.ok(slowestMs < CASE_DEADLINE_MS, `a case took ${slowestMs} ms`)
      const { offsets, told } = accounting(delta)
      assert.equal(told, offsets)
      for (const [name, count] of Object.entries(delta.counts)) assert.ok(count >= 0, name)
    },
  )
  fc.assert(property, { numRuns: 100 })
  const before = await heldBytes()
  fc.assert(property, { numRuns: CASES })
  const growth = (await heldBytes()) - before
  assert.ok(growth < MAX_GROWTH_BYTES, `memory grew by ${growth} bytes`)
})

test('no bytes, however random, behind a batch header throw or hang', () => {
  fc.assert(
    fc.property(
      fc.nat(7),
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 50 }),
      (codecId, body, recordCount) => {
        const batch = readBatchHeader(
          encodeBatch({
            records: [],
            codecId,
            recordCount,
            lastOffsetDelta: recordCount - 1,
            compress: () => Buffer.from(body),
          }),
        )
        const delta = fold.run(partitionState(), [batch], recordCount, 0, NOW)
        assert.deepEqual(accounting(delta), { offsets: recordCount, told: recordCount })
      },
    ),
    { numRuns: CASES },
  )
})
