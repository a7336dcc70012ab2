import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  advance,
  createFold,
  type Delta,
  type PartitionState,
} from '../../services/bridge/fold/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'
import { accounting, partitionState } from './partition-state.ts'
import { testBatch } from './record-batch.ts'

const fold = createFold(streams.find(({ name }) => name === 'orders')!)
const ORDER = '{"order_id":1,"order_amount":1,"order_total_price":1,"is_paid":true}'

type Numbered = { source?: string; sequence?: number | string; previous?: string; value?: string }

/** Reads the records one after the other from `state` on, as one batch. */
function read(state: PartitionState, records: Numbered[], skipped = 0) {
  const batch = testBatch({
    baseOffset: state.position + skipped,
    records: records.map(({ source = 'a', sequence, previous, value = ORDER }) => ({
      value,
      headers: {
        'mb-source': source,
        ...(sequence !== undefined && { 'mb-seq': String(sequence) }),
        ...(previous !== undefined && { 'mb-prev': previous }),
      },
    })),
  })
  const delta = fold.run(state, [batch], batch.lastOffset + 1, skipped, 0)
  const { offsets, told } = accounting(delta)
  assert.equal(told, offsets)
  return { delta, state: advance(state, delta) }
}

const numbers = (...sequences: (number | string)[]) => sequences.map((sequence) => ({ sequence }))

/** accepted, duplicate, rejected, lost, recovered */
function outcome({ counts }: Delta) {
  return [counts.accepted, counts.duplicate, counts.rejected, counts.lost, counts.recovered]
}

const START = partitionState()

test('a source that is not known starts wherever it starts', () => {
  const { delta, state } = read(START, numbers(500, 501))
  assert.deepEqual(outcome(delta), [2, 0, 0, 0, 0])
  assert.deepEqual(state.sources.get('a'), { last: 501, gaps: [], seen: 1 })
})

test('a number that was counted is a duplicate, in the same run and in a later one', () => {
  const { delta, state } = read(START, numbers(1, 2, 2, 1))
  assert.deepEqual(outcome(delta), [2, 2, 0, 0, 0])
  assert.deepEqual(outcome(read(state, numbers(2, 1, 3)).delta), [1, 2, 0, 0, 0])
})

test('sources are told apart', () => {
  const both = ['a', 'b', 'a', 'b'].map((source, i) => ({ source, sequence: 1 + (i >> 1) }))
  assert.deepEqual(outcome(read(START, both).delta), [4, 0, 0, 0, 0])
})

test('a jump is a proven loss, and what comes into the gap after all takes it back, once', () => {
  const jumped = read(START, numbers(1, 6))
  assert.deepEqual(outcome(jumped.delta), [2, 0, 0, 4, 0])
  assert.deepEqual(jumped.state.sources.get('a')?.gaps, [{ from: 2, to: 5 }])
  const filled = read(jumped.state, numbers(3, 3, 5))
  assert.deepEqual(outcome(filled.delta), [2, 1, 0, 0, 2])
  assert.deepEqual(filled.state.sources.get('a')?.gaps, [
    { from: 2, to: 2 },
    { from: 4, to: 4 },
  ])
  const rest = read(filled.state, numbers(4, 2, 7))
  assert.deepEqual(outcome(rest.delta), [3, 0, 0, 0, 2])
  assert.deepEqual(rest.state.sources.get('a'), { last: 7, gaps: [], seen: 7 })
})

test('100 gaps stay open; what the oldest would have taken comes as a duplicate', () => {
  const jumps = Array.from({ length: 102 }, (_, i) => 1 + 2 * i)
  const { delta, state } = read(START, numbers(...jumps))
  assert.equal(delta.counts.lost, 101)
  assert.equal(state.sources.get('a')?.gaps.length, 100)
  assert.deepEqual(outcome(read(state, numbers(2, 4)).delta), [1, 1, 0, 0, 1])
})

test('a jump of a million is a loss; one above is a dead letter that changes nothing', () => {
  assert.equal(read(START, numbers(1, 1_000_001)).delta.counts.lost, 999_999)
  const { delta, state } = read(START, numbers(1, 1_000_002, 2))
  assert.deepEqual(outcome(delta), [2, 0, 1, 0, 0])
  assert.equal(delta.rejected.sequence, 1)
  assert.match(delta.deadLetters[0]!.detail, /mb-seq is no number that can follow for source a/)
  assert.equal(state.sources.get('a')?.last, 2)
})

for (const sequence of ['0', '', '-1', 'x', '1e3', '9007199254740992']) {
  test(`the number '${sequence}' is none: a dead letter 'sequence'`, () => {
    const { delta, state } = read(START, numbers(sequence))
    assert.deepEqual(delta.rejected, { sequence: 1 })
    assert.equal(state.sources.size, 0)
  })
}

for (const source of ['', 's'.repeat(65)]) {
  test(`a source of ${source.length} characters is none: a dead letter 'sequence'`, () => {
    const { delta } = read(START, [{ source, sequence: 1 }])
    assert.deepEqual(delta.rejected, { sequence: 1 })
    assert.match(delta.deadLetters[0]!.detail, /mb-source is not 1 to 64 characters/)
  })
}

test('a source of 64 characters is one', () => {
  const source = 's'.repeat(64)
  const { delta } = read(START, [
    { source, sequence: 1 },
    { source, sequence: 1 },
  ])
  assert.deepEqual(outcome(delta), [1, 1, 0, 0, 0])
})

test('a record without a number is counted by its offset', () => {
  assert.deepEqual(outcome(read(START, [{}, {}, {}]).delta), [3, 0, 0, 0, 0])
})

test('a rejected record advances the number: it is not lost, and comes again as a duplicate', () => {
  const bad = { sequence: 2, value: 'no order' }
  const { delta } = read(START, [...numbers(1), bad, ...numbers(3), bad])
  assert.deepEqual(outcome(delta), [2, 1, 1, 0, 0])
})

test('a duplicate is one, also where its value is none', () => {
  const { delta } = read(START, [...numbers(1), { sequence: 1, value: 'no order' }])
  assert.deepEqual(outcome(delta), [1, 1, 0, 0, 0])
})

test('a new source names the last number of the one before: what is missing at the seam is lost', () => {
  const { state } = read(START, numbers(1, 2))
  const seam = read(state, [{ source: 'b', sequence: 1, previous: 'a:5' }])
  assert.deepEqual(outcome(seam.delta), [1, 0, 0, 3, 0])
  const late = read(seam.state, numbers(4, 4, 2))
  assert.deepEqual(outcome(late.delta), [1, 2, 0, 0, 1])
})

test('a source that names a known predecessor begins at 1: what it sent before is lost, and may still come', () => {
  const { state } = read(START, numbers(1, 2))
  const seam = read(state, [{ source: 'b', sequence: 3, previous: 'a:2' }])
  assert.deepEqual(outcome(seam.delta), [1, 0, 0, 2, 0])
  assert.deepEqual(seam.delta.losses, [{ source: 'b', from: 1, to: 2 }])
  const late = read(seam.state, [{ source: 'b', sequence: 1 }])
  assert.deepEqual(outcome(late.delta), [1, 0, 0, 0, 1])
  const stranger = read(state, [{ source: 'b', sequence: 3, previous: 'z:2' }])
  assert.deepEqual(outcome(stranger.delta), [1, 0, 0, 0, 0])
})

test('a seam without a gap, of an unknown source, or that makes no sense loses nothing', () => {
  const { state } = read(START, numbers(1, 2))
  for (const previous of ['a:2', 'a:1', 'z:9', 'a:', 'a', ':', 'a:x', 'a:-4', 'a:1000003']) {
    const { delta } = read(state, [{ source: 'b', sequence: 1, previous }])
    assert.deepEqual(outcome(delta), [1, 0, 0, 0, 0], previous)
  }
})

test('a loss is told with its source and range; of many, the first ten', () => {
  const { delta, state } = read(START, [...numbers(1, 5), { source: 'b', sequence: 1 }])
  assert.deepEqual(delta.losses, [{ source: 'a', from: 2, to: 4 }])
  const seam = read(state, [{ source: 'c', sequence: 1, previous: 'b:3' }])
  assert.deepEqual(seam.delta.losses, [{ source: 'b', from: 2, to: 3 }])
  const every = Array.from({ length: 12 }, (_, i) => 1 + 2 * i)
  const many = read(START, numbers(...every)).delta
  assert.equal(many.counts.lost, 11)
  assert.deepEqual(
    many.losses.map(({ from }) => from),
    [2, 4, 6, 8, 10, 12, 14, 16, 18, 20],
  )
})

test('the seam is looked at once, on the first record of a source', () => {
  const { state } = read(START, numbers(1, 2))
  const again = { source: 'b', sequence: 1, previous: 'a:5' }
  const other = { source: 'b', sequence: 2, previous: 'a:9' }
  assert.deepEqual(outcome(read(state, [again, again, other]).delta), [2, 1, 0, 3, 0])
})

test('offsets that were skipped forget the sources: the numbers start anew, without a loss', () => {
  const { state } = read(START, numbers(1, 2, 9))
  const { delta, state: after } = read(state, numbers(50, 51), 40)
  assert.deepEqual(outcome(delta), [2, 0, 0, 0, 0])
  assert.equal(delta.counts.skipped, 40)
  assert.equal(delta.forgetSources, true)
  assert.deepEqual([...after.sources], [['a', { last: 51, gaps: [], seen: 44 }]])
})
