import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decideOther, decideStart } from '../../services/bridge/intake/start.ts'
import { partitionState } from './partition-state.ts'

const bounds = (low: number, high: number) => ({ partition: 0, low, high })
const at = (position: number, fingerprintOffset?: number, topicId?: string) =>
  partitionState({
    position,
    incarnation: 3,
    topicId,
    fingerprint:
      fingerprintOffset === undefined ? undefined : { offset: fingerprintOffset, hash: 'ab' },
  })

test('a partition never seen begins at its first record', () => {
  assert.deepEqual(decideStart(undefined, bounds(4, 9), 'a'), {
    begin: { incarnation: 1, start: 4 },
    seek: 4,
    verify: false,
  })
})

test('a known partition goes on at its own position', () => {
  assert.deepEqual(decideStart(at(7), bounds(0, 9), 'a'), { seek: 7, verify: false })
})

test('reading goes on at the last known record, to see that it is still the same log', () => {
  for (const topicId of [undefined, 'a']) {
    const known = at(7, 6, topicId)
    assert.deepEqual(decideStart(known, bounds(0, 9), topicId), { seek: 6, verify: true })
    assert.deepEqual(decideStart(known, bounds(0, 7), topicId), { seek: 6, verify: true })
  }
  // Offsets between hold nothing: transaction markers, or what was compacted.
  assert.deepEqual(decideStart(at(7, 3), bounds(3, 7), undefined), { seek: 3, verify: true })
})

test('where that record is gone the position stands, and nothing is verified', () => {
  assert.deepEqual(decideStart(at(7, 6), bounds(7, 9), undefined), { seek: 7, verify: false })
})

test('where the position is gone too, reading goes on at the first record that is left', () => {
  assert.deepEqual(decideStart(at(7, 6), bounds(12, 20), undefined), { seek: 12, verify: false })
})

test('a topic with another id was made anew, however long it is: counted from its first record', () => {
  for (const high of [5, 7, 99]) {
    const { reason, ...decision } = decideStart(at(7, 6, 'a'), bounds(2, high), 'b')
    assert.deepEqual(decision, { begin: { incarnation: 4, start: 2 }, seek: 2, verify: false })
    assert.match(reason!, /made anew \(it has another id\)/)
  }
})

test('the same topic that ends before the position lost its tail: nothing that is left counts again', () => {
  const { reason, ...decision } = decideStart(at(7, 6, 'a'), bounds(2, 5), 'a')
  const begin = { incarnation: 4, start: 5 }
  assert.deepEqual(decision, { begin, seek: 5, verify: false, doubtful: true })
  assert.match(reason!, /it ends at 5, before our position 7/)
})

test('without ids, a topic that ends before the position counts as made anew, once it stays so', () => {
  const { reason, ...decision } = decideStart(at(7, 6), bounds(2, 5), undefined)
  const begin = { incarnation: 4, start: 2 }
  assert.deepEqual(decision, { begin, seek: 2, verify: false, doubtful: true })
  assert.match(reason!, /made anew \(it ends at 5, before our position 7\)/)
})

test('another record at the fingerprint: made anew, or the same topic that lost its tail and grew again', () => {
  assert.equal(decideOther(at(7, 6), 2, undefined).begin?.start, 2)
  assert.equal(decideOther(at(7, 6, 'a'), 2, 'a').begin?.start, 7)
})
