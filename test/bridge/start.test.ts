import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideStart } from '../../services/bridge/intake/start.ts'
import { partitionState } from './partition-state.ts'

const bounds = (low: number, high: number) => ({ partition: 0, low, high })
const at = (position: number, fingerprintOffset?: number) =>
  partitionState({
    position,
    incarnation: 3,
    fingerprint:
      fingerprintOffset === undefined ? undefined : { offset: fingerprintOffset, hash: 'ab' },
  })

test('a partition never seen begins at its first record, or behind its last where that was asked for', () => {
  assert.deepEqual(decideStart(undefined, bounds(4, 9), 'earliest'), {
    begin: { incarnation: 1, start: 4 },
    seek: 4,
    verify: false,
  })
  assert.deepEqual(decideStart(undefined, bounds(4, 9), 'latest'), {
    begin: { incarnation: 1, start: 9 },
    seek: 9,
    verify: false,
  })
})

test('a known partition goes on at its own position, wherever new ones start', () => {
  for (const startFrom of ['earliest', 'latest'] as const) {
    const decision = decideStart(at(7), bounds(0, 9), startFrom)
    assert.deepEqual(decision, { seek: 7, verify: false })
  }
})

test('reading goes on at the last known record, to see that it is still the same log', () => {
  assert.deepEqual(decideStart(at(7, 6), bounds(0, 9), 'earliest'), { seek: 6, verify: true })
  // Offsets between hold nothing: transaction markers, or what was compacted.
  assert.deepEqual(decideStart(at(7, 3), bounds(3, 7), 'earliest'), { seek: 3, verify: true })
})

test('where that record is gone the position stands, and nothing is verified', () => {
  assert.deepEqual(decideStart(at(7, 6), bounds(7, 9), 'earliest'), { seek: 7, verify: false })
  assert.deepEqual(decideStart(at(7, 6), bounds(7, 7), 'earliest'), { seek: 7, verify: false })
})

test('where the position is gone too, reading goes on at the first record that is left', () => {
  assert.deepEqual(decideStart(at(7, 6), bounds(12, 20), 'earliest'), { seek: 12, verify: false })
})

test('a topic that ends before the position was made anew: a new incarnation, from its first record', () => {
  const { reason, ...decision } = decideStart(at(7, 6), bounds(2, 5), 'latest')
  assert.deepEqual(decision, { begin: { incarnation: 4, start: 2 }, seek: 2, verify: false })
  assert.match(reason!, /ends at 5, before our position 7: it was made anew/)
})

test('a topic that ends at the position may be the same', () => {
  assert.deepEqual(decideStart(at(7, 6), bounds(0, 7), 'earliest'), { seek: 6, verify: true })
})
