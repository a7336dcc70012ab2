import assert from 'node:assert/strict'
import { test } from 'node:test'
import { advance, createFold, type Delta } from '../../services/bridge/fold/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'
import { accounting, partitionState } from './partition-state.ts'
import { type TestBatch, testBatch } from './record-batch.ts'

const fold = createFold(streams.find(({ name }) => name === 'requests')!)
const MINUTE_MS = 60_000

/** Folds to the end of the batches, as often as it takes. */
function foldAll(batches: TestBatch[], to: number): Delta[] {
  const read = batches.map(testBatch)
  const deltas: Delta[] = []
  for (let state = partitionState(); state.position < to; ) {
    const delta = fold.run(state, read, to, 0, 0)
    assert.ok(delta.to > delta.from, 'a run moves on')
    assert.equal(accounting(delta).told, accounting(delta).offsets)
    state = advance(state, delta)
    deltas.push(delta)
  }
  return deltas
}

const sum = (deltas: Delta[], of: (delta: Delta) => number) =>
  deltas.reduce((total, delta) => total + of(delta), 0)

test('a run of too many records becomes several deltas, which together count each once', () => {
  const bad = { value: 'no' }
  const records = Array.from({ length: 120_000 }, (_, i) => (i % 10 === 0 ? bad : { value: '1' }))
  const deltas = foldAll([{ records, lastOffsetDelta: 120_004 }], 120_010)
  assert.ok(deltas.length > 1)
  assert.equal(
    sum(deltas, ({ counts }) => counts.accepted),
    108_000,
  )
  assert.equal(
    sum(deltas, ({ counts }) => counts.rejected),
    12_000,
  )
  assert.equal(
    sum(deltas, ({ counts }) => counts.undelivered),
    10,
  )
})

test('so does a run of too many minutes', () => {
  const minutes = Array.from({ length: 3_500 }, (_, i) => ({
    value: '1',
    timestampMs: i * MINUTE_MS,
  }))
  const deltas = foldAll(
    [{ records: minutes.slice(0, 1_700) }, { baseOffset: 1_700, records: minutes.slice(1_700) }],
    3_500,
  )
  assert.ok(deltas.every((delta) => delta.minutes.length <= 1_000))
  assert.equal(
    sum(deltas, (delta) => delta.minutes.length),
    3_500,
  )
  assert.equal(
    sum(deltas, ({ counts }) => counts.accepted),
    3_500,
  )
})
