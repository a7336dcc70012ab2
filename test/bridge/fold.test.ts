import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  advance,
  createFold,
  type Delta,
  type PartitionState,
} from '../../services/bridge/fold/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'
import { accounting, partitionState } from './partition-state.ts'
import { encodeLogBatch, LOG_NOW_MS, randomLog } from './random-log.ts'
import { testBatch } from './record-batch.ts'
import { type Hole, type LogBatch, plus, ReferenceFold } from './reference-fold.ts'

const orders = streams.find(({ name }) => name === 'orders')!
const fold = createFold(orders)

const MEASURES: Record<string, string> = {
  shop_orders_total: 'orders',
  shop_ordered_units_total: 'units',
  shop_order_value_total: 'value',
}
const COLUMNS: Record<string, string> = {
  total_orders_num: 'orders',
  total_orders_amount: 'units',
  total_orders_price: 'value',
  total_paid_orders_num: 'paid orders',
  total_paid_orders_amount: 'paid units',
  Total_paid_orders_price: 'paid value',
}

/** What a run of deltas adds up to, in the reference's words. */
class Added {
  counts: Record<string, number> = {}
  totals = new Map<string, bigint>()
  minutes = new Map<string, bigint>()
  reasons = new Map<string, number>()
  events = 0
  future = 0
  latestMs = -1

  add(delta: Delta) {
    for (const [name, count] of Object.entries(delta.counts))
      this.counts[name] = (this.counts[name] ?? 0) + count
    for (const { measure, labels, value } of delta.series)
      plus(this.totals, `${MEASURES[measure]} ${JSON.parse(labels).payment}`, value)
    for (const { minuteMs, events, columns } of delta.minutes) {
      this.events += events
      for (const { column, value } of columns)
        plus(this.minutes, `${minuteMs} ${COLUMNS[column]}`, value)
    }
    for (const [reason, records] of Object.entries(delta.rejected))
      this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + records)
    this.future += delta.future
    this.latestMs = Math.max(this.latestMs, delta.maxTimeMs)
  }
}

/** How a log is delivered: each step reads some batches, beginning some batches before those not read yet. */
const deliveries = fc.array(
  fc.record({ back: fc.nat(3), batches: fc.integer({ min: 1, max: 5 }) }),
  {
    minLength: 1,
    maxLength: 30,
  },
)
type Deliveries = typeof deliveries extends fc.Arbitrary<infer D> ? D : never

function deliver(log: LogBatch[], steps: Deliveries, hole?: Hole) {
  const batches = log.map(encodeLogBatch)
  const added = new Added()
  let state = partitionState()
  let next = 0
  for (let i = 0; next < log.length; i++) {
    const { back, batches: count } = steps[i % steps.length]!
    const skipped = hole && state.position === hole.from ? hole.to - hole.from : 0
    // A log that lost its beginning starts with the batch that holds its first offset.
    if (skipped > 0) while (log[next]!.last < hole!.to) next++
    const end = Math.min(log.length, next + count)
    const run = batches.slice(skipped > 0 ? next : Math.max(0, next - back), end)
    const delta = fold.run(state, run, log[end - 1]!.last + 1, skipped, LOG_NOW_MS)
    const { offsets, told } = accounting(delta)
    assert.equal(told, offsets)
    assert.equal(fold.acceptedTimestamps().length, delta.counts.accepted)
    added.add(delta)
    state = advance(state, delta)
    next = end
  }
  return { added, state }
}

function compare({ added, state }: ReturnType<typeof deliver>, reference: ReferenceFold) {
  const { accepted, rejected, duplicate, lost, recovered, skipped } = reference
  const { undelivered, ...counts } = added.counts
  assert.deepEqual(counts, { accepted, rejected, duplicate, lost, recovered, skipped })
  assert.deepEqual(added.reasons, reference.reasons)
  assert.deepEqual(added.totals, reference.totals)
  assert.deepEqual(added.minutes, reference.minutes)
  assert.equal(added.events, accepted)
  assert.equal(added.future, reference.future)
  assert.equal(added.latestMs, reference.latestMs)
  const told = accepted + rejected + duplicate + skipped
  assert.equal(undelivered, state.position - told)
  assert.deepEqual(
    new Map([...state.sources].map(([name, { last }]) => [name, last])),
    reference.last,
  )
}

test('any log, delivered in any pieces and again, counts as a plain reading of it does', () => {
  fc.assert(
    fc.property(randomLog, deliveries, (log, steps) => {
      const reference = new ReferenceFold(LOG_NOW_MS)
      reference.read(log)
      compare(deliver(log, steps), reference)
    }),
    { numRuns: 500 },
  )
})

test('a log whose next records are gone counts the rest, and what is gone as skipped', () => {
  fc.assert(
    fc.property(randomLog, deliveries, fc.nat(11), fc.nat(30), (log, steps, at, length) => {
      // Reading stood behind a batch; what retention took may end amid another.
      const from = log[at % log.length]!.last + 1
      const to = Math.min(from + length, log.at(-1)!.last)
      fc.pre(to > from)
      const reference = new ReferenceFold(LOG_NOW_MS)
      reference.read(log, { from, to })
      // Every step ends behind one batch, so that one of them ends where the hole begins.
      const single = steps.map(({ back }) => ({ back, batches: 1 }))
      compare(deliver(log, single, { from, to }), reference)
    }),
    { numRuns: 300 },
  )
})

test('the same arguments give the same delta, and the state passed in stays as it was', () => {
  fc.assert(
    fc.property(randomLog, fc.nat(11), (log, cut) => {
      const batches = log.map(encodeLogBatch)
      const half = cut % log.length
      const first = fold.run(
        partitionState(),
        batches.slice(0, half),
        log[half]!.first,
        0,
        LOG_NOW_MS,
      )
      const state = advance(partitionState(), first)
      const before = structuredClone(state)
      const to = log.at(-1)!.last + 1
      const delta = fold.run(state, batches, to, 0, LOG_NOW_MS)
      const kept = structuredClone(delta)
      assert.deepEqual(createFold(orders).run(state, batches, to, 0, LOG_NOW_MS), delta)
      assert.deepEqual(state, before)
      advance(state, delta)
      assert.deepEqual(state, before)
      assert.deepEqual(structuredClone(delta), kept)
    }),
    { numRuns: 200 },
  )
})

test('sums stay exact beyond 2^53', () => {
  const prices = Array.from({ length: 12_000 }, (_, i) => 1e12 - ((i * 7_919) % 100_003))
  const records = prices.map((price) => ({
    value: `{"order_id":1,"order_amount":1,"order_total_price":${price},"is_paid":true}`,
    timestampMs: LOG_NOW_MS,
  }))
  const { series, minutes } = fold.run(
    partitionState(),
    [testBatch({ records })],
    records.length,
    0,
    LOG_NOW_MS,
  )
  const sum = prices.reduce((total, price) => total + BigInt(price), 0n)
  assert.ok(sum > 2n ** 53n)
  assert.equal(series.find(({ measure }) => measure === 'shop_order_value_total')?.value, sum)
  const column = minutes[0]!.columns.find(({ column }) => column === 'Total_paid_orders_price')
  assert.equal(column?.value, sum)
})

test('a batch in whose middle the position stands counts from there', () => {
  const records = Array.from({ length: 10 }, (_, i) => ({
    value: `{"order_id":${i},"order_amount":1,"order_total_price":${i},"is_paid":true}`,
  }))
  const batch = testBatch({ baseOffset: 20, records })
  const delta = fold.run(partitionState({ position: 26 }), [batch], 30, 0, LOG_NOW_MS)
  assert.equal(delta.counts.accepted, 4)
  assert.equal(delta.from, 26)
  assert.equal(delta.series.find(({ measure }) => measure.includes('value'))?.value, 30n)
})

test('a hopeless run carries 1,000 dead letters and counts the others as evicted', () => {
  const records = Array.from({ length: 1_500 }, () => ({ value: 'no', key: 'k'.repeat(5_000) }))
  const delta = fold.run(partitionState(), [testBatch({ records })], 1_500, 0, LOG_NOW_MS)
  assert.equal(delta.counts.rejected, 1_500)
  assert.equal(delta.deadLetters.length, 1_000)
  assert.equal(delta.evicted, 500)
})

test('a dead letter keeps the first 1 KiB of key and value, its length, time, place and hash', () => {
  const value = `{"order_id":"${'é'.repeat(4_000)}`
  const records = [{ value, key: 'k'.repeat(3_000), timestampMs: LOG_NOW_MS }]
  const batch = testBatch({ baseOffset: 8, records })
  const [letter] = fold.run(partitionState({ position: 8 }), [batch], 9, 0, LOG_NOW_MS).deadLetters
  assert.deepEqual(letter?.value, Buffer.from(value).subarray(0, 1_024))
  assert.deepEqual(letter?.key, Buffer.alloc(1_024, 'k'))
  assert.equal(letter?.valueBytes, Buffer.byteLength(value))
  assert.equal(letter?.timestampMs, LOG_NOW_MS)
  assert.equal(letter?.offset, 8)
  assert.match(letter!.hash, /^[0-9a-f]{64}$/)
})

test('a record without a time of its own gets that of the counted event before it', () => {
  const at = (timestampMs: number, value: string) => ({ timestampMs, value })
  const good = '{"order_id":1,"order_amount":1,"order_total_price":1,"is_paid":true}'
  const state: PartitionState = partitionState({ previousTimeMs: 90_000 })
  const batch = testBatch({
    records: [at(-1, good), at(600_000, 'bad'), at(-1, good), at(300_000, good), at(-1, good)],
  })
  const { minutes, previousTimeMs } = fold.run(state, [batch], 5, 0, LOG_NOW_MS)
  assert.deepEqual(
    minutes.map(({ minuteMs, events }) => [minuteMs, events]),
    [
      [60_000, 2],
      [300_000, 2],
    ],
  )
  assert.equal(previousTimeMs, 300_000)
})
