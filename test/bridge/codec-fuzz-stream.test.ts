import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readBatchHeader } from '../../services/bridge/codec/index.ts'
import { advance, createFold, type PartitionState } from '../../services/bridge/fold/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'
import { Random } from '../simulation/random.ts'
import { COMPRESSIONS } from './compressions.ts'
import { heldBytes } from './held-bytes.ts'
import { accounting, partitionState } from './partition-state.ts'
import { encodeBatch, type TestRecord } from './record-batch.ts'

const RECORDS = 100_000
const MAX_GROWTH_BYTES = 4 * 1024 * 1024
const NOW = Date.UTC(2026, 4, 1)

const seed = Math.floor(Math.random() * 2 ** 31)
const random = new Random(seed)

const VALUES = [
  '1',
  '{"order_id":7,"order_amount":2,"order_total_price":30,"is_paid":true}',
  '{"route":"/","method":"GET","status":200,"duration":1500}',
  '{"order_id":9007199254740993,"order_amount":1e12,"order_total_price":1000000000001,"is_paid":0}',
  '{"__proto__":{"order_id":1},"route":"é\\ud800","status":-0,"duration":1e400}',
  '{"constructor":{"name":7},"toJSON":1,"expression":{},"route":{"constructor":null}}',
  '[{"constructor":{"name":7}},{"toJSON":"x"},{"expression":3}]',
  `${'['.repeat(3_000)}${']'.repeat(3_000)}`,
]
const NUMBERS = [
  '',
  '0',
  '1',
  '-1',
  '007',
  '1e3',
  ' 5',
  '9007199254740991',
  '9007199254740992',
  '99999999999999999999',
  'NaN',
  '٣',
]

const bytes = (most: number) =>
  Buffer.from(Array.from({ length: random.between(0, most) }, () => random.between(0, 255)))

/** Bytes that were something, with some of them changed, cut off, put in or doubled. */
function spoiled(text: string): Buffer {
  let whole = Buffer.from(text)
  for (let changes = random.between(0, 3); changes > 0; changes--) {
    const [a, b] = [random.between(0, whole.length), random.between(0, whole.length)].sort(
      (x, y) => x - y,
    )
    const kind = random.weighted({ set: 2, cut: 1, put: 2, double: 1 })
    if (kind === 'set' && a! < whole.length) whole[a!] = random.between(0, 255)
    if (kind === 'cut') whole = Buffer.concat([whole.subarray(0, a), whole.subarray(b)])
    if (kind === 'put') whole = Buffer.concat([whole.subarray(0, a), bytes(4), whole.subarray(a)])
    if (kind === 'double') whole = Buffer.concat([whole.subarray(0, b), whole.subarray(a)])
  }
  return whole
}

function field(usual: () => string, most = 40): Buffer | string | null {
  const kind = random.weighted({ usual: 10, spoiled: 3, random: 1, none: 1 })
  return { usual, spoiled: () => spoiled(usual()), random: () => bytes(most), none: () => null }[
    kind
  ]()
}

function headers(): NonNullable<TestRecord['headers']> {
  const named = {
    'mb-time': () => random.pick([String(NOW - random.between(0, 10 ** 6)), ...NUMBERS]),
    'mb-source': () =>
      random.pick(['a', 'b', `s${random.between(0, 20)}`, '', 'é', 'x'.repeat(64), 'x'.repeat(65)]),
    'mb-seq': () => (random.chance(0.9) ? String(random.between(1, 200)) : random.pick(NUMBERS)),
    'mb-prev': () => random.pick(['a:5', 'b:', ':', 'z:9', 'a:b:30', `s1:${random.pick(NUMBERS)}`]),
    other: () => 'anything',
  }
  return Array.from({ length: random.between(0, 6) }, () => {
    const name = random.pick(Object.keys(named) as (keyof typeof named)[])
    return [random.chance(0.95) ? name : field(() => name), field(named[name])]
  })
}

/** Some records in one batch, which may be damaged anywhere behind its offset and length. */
function batchAt(baseOffset: number) {
  const records = Array.from(
    { length: random.between(20, 80) },
    (): TestRecord => ({
      value: field(() => random.pick(VALUES), 200),
      key: field(() => 'key'),
      timestampMs: random.pick([
        -1,
        0,
        NOW,
        NOW + 10 ** 7,
        NOW - random.between(0, 10 ** 7),
        2 ** 52,
      ]),
      headers: headers(),
    }),
  )
  const { codecId, compress } = random.pick(COMPRESSIONS)
  const whole = encodeBatch({ baseOffset, records, codecId, compress })
  for (let damages = random.chance(0.2) ? random.between(1, 3) : 0; damages > 0; damages--) {
    const most = random.chance(0.5) ? 90 : whole.length - 1
    const at = random.between(16, Math.min(most, whole.length - 1))
    // The offsets that it says to cover stay few, so that all of them are read.
    if (at < 23 || at > 26) whole[at] = random.between(0, 255)
  }
  return { batch: readBatchHeader(whole), records: records.length }
}

test(`${RECORDS} records with anything in them: each is accounted for, none ends the fold, none stays in memory (seed ${seed})`, async () => {
  const folds = streams.map(createFold)
  const states = folds.map((): PartitionState => partitionState())
  let read = 0
  const told = { accepted: 0, rejected: 0, duplicate: 0 }
  const readUpTo = (records: number) => {
    while (read < records) {
      const at = random.between(0, folds.length - 1)
      const { batch, records } = batchAt(states[at]!.position)
      const delta = folds[at]!.run(states[at]!, [batch], batch.lastOffset + 1, 0, NOW)
      const { offsets, told: sum } = accounting(delta)
      assert.equal(sum, offsets)
      for (const [name, count] of Object.entries(delta.counts)) assert.ok(count >= 0, name)
      const reasons = Object.values(delta.rejected).reduce((all, count) => all + count, 0)
      assert.equal(reasons, delta.counts.rejected)
      const events = delta.minutes.reduce((all, minute) => all + minute.events, 0)
      assert.equal(events, delta.counts.accepted)
      for (const name of Object.keys(told) as (keyof typeof told)[])
        told[name] += delta.counts[name]
      states[at] = advance(states[at]!, delta)
      read += records
    }
  }
  readUpTo(RECORDS / 4)
  const first = await heldBytes()
  readUpTo(RECORDS)
  const growth = (await heldBytes()) - first
  assert.ok(growth < MAX_GROWTH_BYTES, `memory grew by ${growth} bytes`)
  for (const [name, count] of Object.entries(told))
    assert.ok(count > RECORDS / 20, `${name}: ${count}`)
})
