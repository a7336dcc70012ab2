import fc from 'fast-check'
import { readBatchHeader } from '../../services/bridge/codec/index.ts'
import { COMPRESSIONS } from './compressions.ts'
import { encodeBatch, type TestRecord } from './record-batch.ts'
import type { Flaw, LogBatch, LogRecord } from './reference-fold.ts'

export const LOG_NOW_MS = Date.UTC(2026, 4, 1, 12)
const MINUTE_MS = 60_000

/** A value that is no order, for each thing that can be wrong with it. */
const FLAWED: Record<Flaw, Buffer | string | null> = {
  json: '{"order_id":',
  tombstone: null,
  empty: '',
  encoding: Buffer.from('"\xff"', 'latin1'),
  schema: '{"order_id":1,"order_amount":"2","order_total_price":30,"is_paid":true}',
  range: '{"order_id":1,"order_amount":0,"order_total_price":30,"is_paid":true}',
}
export const FLAWS = Object.keys(FLAWED) as Flaw[]

/** Around now: mostly this minute and those before, some late, some of years ago, some to come. */
const timeMs = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.integer({ min: -3 * MINUTE_MS, max: 0 }).map((ms) => LOG_NOW_MS + ms),
  },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: LOG_NOW_MS }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 0, max: 99 * MINUTE_MS }).map((ms) => LOG_NOW_MS + ms),
  },
)

const order = fc.record({
  amount: fc.integer({ min: 1, max: 10_000 }),
  price: fc.oneof(fc.nat(1_000), fc.integer({ min: 1e12 - 9, max: 1e12 })),
  paid: fc.boolean(),
})

const sequence = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 1, max: 30 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, 3_000, 1_003_031, Number.MAX_SAFE_INTEGER, -1) },
)

const number = fc.record({
  source: fc.constantFrom('a', 'b', 'c'),
  sequence,
  previous: fc.option(
    fc.tuple(fc.constantFrom('a', 'b', 'c', 'z'), fc.nat(30)).map((parts) => parts.join(':')),
    { nil: undefined },
  ),
})

const record = fc.record({
  order: fc.oneof(
    { weight: 5, arbitrary: order },
    { weight: 1, arbitrary: fc.constantFrom(...FLAWS) },
  ),
  timestampMs: fc.oneof(
    { weight: 5, arbitrary: timeMs },
    { weight: 1, arbitrary: fc.constant(-1) },
  ),
  headerTime: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    { weight: 2, arbitrary: timeMs },
    { weight: 1, arbitrary: fc.constant('bad' as const) },
  ),
  number: fc.option(number, { nil: undefined }),
  /** Offsets in front of it that hold nothing. */
  missing: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
})

const batch = fc.record({
  records: fc.array(record, { minLength: 1, maxLength: 8 }),
  damaged: fc.oneof(
    { weight: 9, arbitrary: fc.constant(false) },
    { weight: 1, arbitrary: fc.constant(true) },
  ),
  /** Offsets behind its last record that belong to it, as compaction leaves them. */
  tail: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
  /** Offsets between it and the next, as transactions leave them. */
  behind: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
})

/** A partition's log from offset 0. A damaged batch has a record at each of its offsets. */
export const randomLog: fc.Arbitrary<LogBatch[]> = fc
  .array(batch, { minLength: 1, maxLength: 12 })
  .map((batches) => {
    let next = 0
    return batches.map(({ records, damaged, tail, behind }) => {
      const first = next
      const placed = records.map(({ missing, ...rest }): LogRecord => {
        const offset = next + (damaged ? 0 : missing)
        next = offset + 1
        return { ...rest, offset }
      })
      const last = next - 1 + (damaged ? 0 : tail)
      next = last + 1 + behind
      return { first, last, damaged, records: placed }
    })
  })

/** The batch as it would come from Kafka; codecs take turns. */
export function encodeLogBatch(batch: LogBatch) {
  const { codecId, compress } = COMPRESSIONS[batch.first % COMPRESSIONS.length]!
  const bytes = encodeBatch({
    baseOffset: batch.first,
    lastOffsetDelta: batch.last - batch.first,
    records: batch.records.map((record) => encodeLogRecord(record, batch.first)),
    ...(batch.damaged ? { codecId: 5 } : { codecId, compress }),
  })
  return readBatchHeader(bytes)
}

function encodeLogRecord(record: LogRecord, first: number): TestRecord {
  const { order, headerTime, number, timestampMs, offset } = record
  const headers: Record<string, string> = {}
  if (headerTime !== undefined) headers['mb-time'] = String(headerTime)
  if (number) {
    headers['mb-source'] = number.source
    headers['mb-seq'] = String(number.sequence)
    if (number.previous) headers['mb-prev'] = number.previous
  }
  const value =
    typeof order === 'string'
      ? FLAWED[order]
      : JSON.stringify({
          order_id: offset,
          order_amount: order.amount,
          order_total_price: order.price,
          is_paid: order.paid,
        })
  return { value, timestampMs, headers, offsetDelta: offset - first }
}
