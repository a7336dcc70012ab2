import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { RecordBatch } from '../../services/bridge/codec/index.ts'
import {
  createFold,
  type DeadLetter,
  type PartitionState,
  type Redrive,
} from '../../services/bridge/fold/index.ts'
import { HEADERS } from '../../services/kafka/headers.ts'
import { partitionState } from '../bridge/partition-state.ts'
import { type TestRecord, testBatch } from '../bridge/record-batch.ts'
import { order } from '../e2e/topics.ts'
import { orders, strictOrders } from './strict.ts'

const strict = createFold(strictOrders)
const fold = createFold(orders)
const TIME_MS = Date.UTC(2026, 4, 1, 12)
const NOW_MS = TIME_MS + 3_600_000

/** What a bridge with the strict definition sets aside of a batch. */
function setAside(batch: RecordBatch, state = partitionState()): DeadLetter[] {
  return strict.run(state, [batch], batch.lastOffset + 1, 0, NOW_MS).deadLetters
}

function redrive(letter: DeadLetter, batch: RecordBatch, state = partitionState()): Redrive {
  const judged = fold.redrive(letter, batch, state, NOW_MS)
  if ('stays' in judged) assert.fail(judged.stays)
  return judged
}

function assertStays(
  letter: DeadLetter,
  batch: RecordBatch,
  why: RegExp,
  state: PartitionState = partitionState(),
) {
  const judged = fold.redrive(letter, batch, state, NOW_MS)
  assert.match('stays' in judged ? judged.stays : 'counted', why)
}

const numbered = (sequence: number, value = order(1, 9)): TestRecord => ({
  value,
  timestampMs: TIME_MS,
  headers: { [HEADERS.source]: 'a', [HEADERS.sequence]: String(sequence) },
})

test('first reading and redriving together count what the mended definition counts', () => {
  const records: TestRecord[] = Array.from({ length: 8 }, (_, i) => ({
    value: order(i, i + 1, i % 2 === 0),
    timestampMs: TIME_MS + i * 20_000,
    headers: i === 6 ? { [HEADERS.time]: String(NOW_MS + 60_000) } : {},
  }))
  const batch = testBatch({ records })
  const whole = fold.run(partitionState(), [batch], 8, 0, NOW_MS)
  const first = strict.run(partitionState(), [batch], 8, 0, NOW_MS)
  assert.equal(first.counts.rejected, 5)
  const parts = [first, ...first.deadLetters.map((letter) => redrive(letter, batch))]
  const total = (of: (part: Pick<Redrive, 'series' | 'minutes'>) => [string, bigint][]) => {
    const sums = new Map<string, bigint>()
    for (const [name, value] of parts.flatMap(of)) sums.set(name, (sums.get(name) ?? 0n) + value)
    return [...sums].sort()
  }
  const series = ({ series }: Pick<Redrive, 'series'>) =>
    series.map(({ measure, labels, value }): [string, bigint] => [measure + labels, value])
  const minutes = ({ minutes }: Pick<Redrive, 'minutes'>) =>
    minutes.flatMap(({ minuteMs, events, columns }): [string, bigint][] => [
      [`${minuteMs}`, BigInt(events)],
      ...columns.map(({ column, value }): [string, bigint] => [`${minuteMs} ${column}`, value]),
    ])
  assert.deepEqual(total(series), series(whole).sort())
  assert.deepEqual(total(minutes), minutes(whole).sort())
  assert.equal(
    parts.reduce((sum, { future }) => sum + future, 0),
    whole.future,
  )
})

test('what is not valid now either stays, and says why', () => {
  const batch = testBatch({ records: [{ value: '{}', timestampMs: TIME_MS }] })
  const [letter] = setAside(batch)
  assertStays(letter!, batch, /^offset 0: schema: .*order_amount must be/)
})

test('a record without a time of its own stays', () => {
  const batch = testBatch({ records: [{ value: order(1, 9), timestampMs: -1 }] })
  const [letter] = setAside(batch)
  assertStays(letter!, batch, /time: it has no time of its own/)
})

test('a header that is no time stays', () => {
  const headers = { [HEADERS.time]: 'noon' }
  const batch = testBatch({ records: [{ value: order(1, 9), timestampMs: TIME_MS, headers }] })
  const [letter] = setAside(batch)
  assertStays(letter!, batch, /time: the header/)
})

test('another record at its offset is not taken for it, nor is another batch', () => {
  const record = { value: order(1, 9), timestampMs: TIME_MS }
  const [letter] = setAside(testBatch({ records: [record] }))
  const changed = testBatch({ records: [{ ...record, value: order(1, 8) }] })
  assertStays(letter!, changed, /another than the one that was set aside/)
  const elsewhere = testBatch({ baseOffset: 1, records: [record] })
  assertStays(letter!, elsewhere, /another than the one/)
  assertStays(asBatch(changed), testBatch({ records: [record] }), /another than the one/)
})

test('the number of a single record is not judged a second time', () => {
  const batch = testBatch({ records: [numbered(5), numbered(6)] })
  const first = strict.run(partitionState(), [batch], 2, 0, NOW_MS)
  const sources = new Map(first.sources.map(({ source, state }) => [source, state]))
  const judged = redrive(first.deadLetters[0]!, batch, partitionState({ position: 2, sources }))
  assert.deepEqual([judged.records, judged.duplicates, judged.sources], [1, 0, []])
})

test('a number that could not follow is mended by no definition', () => {
  const batch = testBatch({ records: [numbered(0)] })
  const [letter] = setAside(batch)
  assert.equal(letter?.reason, 'sequence')
  assertStays(letter!, batch, /no definition mends that/)
})

/** The dead letter of a batch that a bridge could not decompress, from its record `from` on. */
function asBatch(batch: RecordBatch, from = 0): DeadLetter {
  return {
    offset: batch.baseOffset + from,
    records: batch.lastOffset - batch.baseOffset + 1 - from,
    reason: 'undecodable',
    detail: 'codec 4 is not known',
    timestampMs: TIME_MS,
    key: null,
    value: null,
    valueBytes: batch.bytes.length,
    hash: createHash('sha256').update('\n').update(batch.bytes).digest('hex'),
  }
}

const heard = (last: number, gaps: { from: number; to: number }[] = []) =>
  partitionState({ position: 9, sources: new Map([['a', { last, gaps, seen: 8 }]]) })

test('a batch that is readable now is counted whole, or from where it could not be read', () => {
  const batch = testBatch({ records: [1, 2, 3].map((i) => ({ ...numbered(i), headers: {} })) })
  assert.equal(redrive(asBatch(batch), batch).records, 3)
  assert.equal(redrive(asBatch(batch, 1), batch).records, 2)
})

test('of such a batch, what fills an open gap takes the loss back, and what came before is a duplicate', () => {
  const batch = testBatch({ records: [numbered(3), numbered(4), numbered(5)] })
  const judged = redrive(asBatch(batch), batch, heard(9, [{ from: 4, to: 7 }]))
  assert.deepEqual([judged.records, judged.duplicates, judged.recovered], [2, 1, 2])
  assert.deepEqual(judged.sources, [
    { source: 'a', state: { last: 9, gaps: [{ from: 6, to: 7 }], seen: 8 } },
  ])
  assert.equal(judged.minutes[0]?.events, 2)
})

test('of such a batch, records of a source that is not known are counted, and known from then on', () => {
  const batch = testBatch({ records: [numbered(3), numbered(4), numbered(4)] })
  const judged = redrive(asBatch(batch), batch)
  assert.deepEqual([judged.records, judged.duplicates, judged.recovered], [2, 1, 0])
  assert.equal(judged.sources[0]?.state.last, 4)
})

test('such a batch stays whole when one of its records is not valid', () => {
  const batch = testBatch({ records: [numbered(1), numbered(2, 'no'), numbered(3)] })
  assertStays(asBatch(batch), batch, /^offset 1: json: /)
  const wrong = testBatch({ records: [numbered(1), numbered(0)] })
  assertStays(asBatch(wrong), wrong, /^offset 1: sequence: /)
})

test('such a batch stays when it is still not readable, or holds more than was set aside', () => {
  const broken = testBatch({ records: [numbered(1), numbered(2)], codecId: 6 })
  assertStays(asBatch(broken), broken, /^undecodable: /)
  const batch = testBatch({ records: [numbered(1), numbered(2)] })
  assertStays({ ...asBatch(batch), records: 1 }, batch, /another than the one/)
})
