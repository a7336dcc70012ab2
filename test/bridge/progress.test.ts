import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Observed,
  Progress,
  readiness,
  statusOf,
  Watchdog,
} from '../../services/bridge/intake/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'

const MINUTE = Date.UTC(2026, 4, 1, 12)
const MINUTE_MS = 60_000
const END = MINUTE + MINUTE_MS
const NO_EVENT = -1

const ends = (...highs: number[]) => highs.map((high, partition) => ({ partition, low: 0, high }))

/** Partitions placed at these positions. */
function placed(...positions: number[]): Progress {
  const progress = new Progress()
  for (const [partition, position] of positions.entries())
    progress.moved(partition, position, NO_EVENT, MINUTE)
  return progress
}

test('a minute closes once the end that was read 2 s after it is reached', () => {
  const progress = placed(10)
  progress.ends(ends(12), END + 1_999)
  progress.moved(0, 12, NO_EVENT, END + 2_500)
  assert.equal(progress.closableMinuteMs(), MINUTE - MINUTE_MS)
  progress.ends(ends(13), END + 2_000)
  assert.equal(progress.closableMinuteMs(), MINUTE - MINUTE_MS)
  progress.moved(0, 13, NO_EVENT, END + 2_100)
  assert.equal(progress.closableMinuteMs(), MINUTE)
})

test('an end that moves on all the time is no obstacle: the one that was read counts', () => {
  const progress = placed(0)
  for (let second = 0; second < 10; second++) {
    const readAtMs = END + 2_000 + second * 1_000
    progress.ends(ends(1_000 * (second + 1)), readAtMs)
    // Always 500 records behind what was read last.
    progress.moved(0, 1_000 * (second + 1) - 500, NO_EVENT, readAtMs + 500)
  }
  assert.equal(progress.caughtUp(), false)
  assert.equal(progress.closableMinuteMs(), MINUTE)
})

test('an event 2 minutes after its end closes a minute, however far the end is', () => {
  const progress = placed(0)
  progress.ends(ends(1_000_000), END)
  progress.moved(0, 5, END + 119_999, END)
  assert.equal(progress.closableMinuteMs(), MINUTE - MINUTE_MS)
  progress.moved(0, 6, END + 120_000, END)
  assert.equal(progress.closableMinuteMs(), MINUTE)
  progress.moved(0, 7, MINUTE, END)
  assert.equal(progress.closableMinuteMs(), MINUTE)
})

test('nothing closes before the ends were read, whatever events say', () => {
  const progress = placed(0)
  progress.moved(0, 5, END + 10 * MINUTE_MS, END)
  assert.equal(progress.closableMinuteMs(), -1)
  assert.equal(progress.watermarkMs(), -1)
  assert.equal(progress.readAtMs, -1)
})

test('nothing more closes while Kafka does not answer', () => {
  const progress = placed(5)
  progress.ends(ends(5), END + 2_000)
  assert.equal(progress.closableMinuteMs(), MINUTE)
  // Time passes; no reading, no event.
  assert.equal(progress.closableMinuteMs(), MINUTE)
  progress.ends(ends(5), END + 62_000)
  assert.equal(progress.closableMinuteMs(), MINUTE + MINUTE_MS)
})

test('a minute closes when it has for every partition; a quiet one does not hold it up', () => {
  const progress = placed(0, 7)
  progress.ends(ends(10, 7), END + 2_000)
  assert.equal(progress.closableMinuteMs(), -1)
  progress.moved(0, 10, MINUTE, END + 2_100)
  assert.equal(progress.closableMinuteMs(), MINUTE)
})

test('one partition behind holds all up', () => {
  const progress = placed(10, 0)
  progress.ends(ends(10, 10), END + 2_000)
  progress.moved(1, 9, NO_EVENT, END + 3_000)
  assert.equal(progress.closableMinuteMs(), -1)
  assert.equal(progress.caughtUp(), false)
  assert.deepEqual(progress.lags(), [
    { partition: 0, records: 0 },
    { partition: 1, records: 1 },
  ])
  // As far as its own events go, it does not.
  progress.moved(1, 9, MINUTE, END + 3_000)
  assert.equal(progress.closableMinuteMs(), MINUTE - 3 * MINUTE_MS)
})

test('a partition that is added holds closing up until it is placed and read', () => {
  const progress = placed(5)
  progress.ends(ends(5), END + 2_000)
  progress.ends(ends(5, 3), END + 62_000)
  assert.equal(progress.closableMinuteMs(), -1)
  assert.deepEqual(progress.lags()[1], { partition: 1, records: 3 })
  progress.moved(1, 0, NO_EVENT, END + 63_000)
  assert.equal(progress.closableMinuteMs(), -1)
  progress.moved(1, 3, NO_EVENT, END + 63_000)
  assert.equal(progress.closableMinuteMs(), MINUTE + MINUTE_MS)
})

test('a partition that is gone is forgotten', () => {
  const progress = placed(5, 0)
  progress.ends(ends(5, 9), END + 2_000)
  assert.equal(progress.closableMinuteMs(), -1)
  progress.ends(ends(5), END + 3_000)
  assert.equal(progress.closableMinuteMs(), MINUTE)
  assert.deepEqual(progress.lags(), [{ partition: 0, records: 0 }])
  assert.equal(progress.caughtUp(), true)
})

test('without partitions nothing is caught up and nothing closes', () => {
  const progress = new Progress()
  progress.ends([], END)
  assert.equal(progress.caughtUp(), false)
  assert.equal(progress.closableMinuteMs(), -1)
})

test('a reading that comes after a later one opens nothing again', () => {
  const progress = placed(5)
  progress.ends(ends(5), END + 62_000)
  progress.ends(ends(5), END + 2_000)
  assert.equal(progress.closableMinuteMs(), MINUTE + MINUTE_MS)
})

test('behind and still: since when is told; moving on, or more to read, begins anew', () => {
  const progress = placed(5, 5, 5)
  progress.ends(ends(9, 5, 9), END)
  progress.ends(ends(9, 5, 9), END + 50_000)
  progress.moved(2, 6, NO_EVENT, END + 55_000)
  assert.deepEqual(progress.behind(), [
    { partition: 0, sinceMs: END },
    { partition: 2, sinceMs: END + 55_000 },
  ])
  progress.moved(0, 9, NO_EVENT, END + 61_000)
  progress.moved(2, 9, NO_EVENT, END + 61_000)
  assert.deepEqual(progress.behind(), [])
  // Still for hours, but there was nothing to read until now.
  const idle = placed(5)
  idle.ends(ends(5), END)
  idle.ends(ends(6), END + 3_600_000)
  assert.deepEqual(idle.behind(), [{ partition: 0, sinceMs: END + 3_600_000 }])
})

test('ready is who has partitions and moves; who is not says what is wrong, and since when', () => {
  const progress = placed(5)
  const observed: Observed = {
    intake: { unwritable: undefined, unassignedSinceMs: undefined },
    progress: new Map([['new_orders', progress]]),
    reading: ['new_orders'],
    kafka: { current: undefined },
    startedMs: MINUTE,
  }
  const says = (nowMs: number, now: Partial<Observed> = {}) => {
    const state = readiness({ ...observed, ...now }, nowMs)
    return state.ready ? `ready ${state.note ?? ''}` : state.why
  }
  assert.match(says(END), /^Kafka has not told where the topics end since 2026-05-01T12:00:00Z/)
  progress.ends(ends(9), END)
  assert.equal(says(END + 29_999), 'ready ')
  const unassigned = { unwritable: undefined, unassignedSinceMs: END }
  assert.match(
    says(END, { intake: unassigned }),
    /assigned no partitions since 2026-05-01T12:01:00Z/,
  )

  const silent = { current: { sinceMs: END, reason: 'connection refused' } }
  assert.match(
    says(END + 30_000, { kafka: silent }),
    /^Kafka has not told where the topics end since 2026-05-01T12:01:00Z \(connection refused\)/,
  )
  progress.ends(ends(9), END + 60_000)
  assert.match(
    says(END + 60_000),
    /^new_orders\/0 is behind and has not moved since 2026-05-01T12:01/,
  )
  progress.moved(0, 9, NO_EVENT, END + 60_001)
  assert.equal(says(END + 60_002), 'ready ')

  const two = new Map([...observed.progress, ['web_requests', new Progress()]])
  assert.equal(
    says(END + 60_002, { progress: two }),
    'ready these topics do not exist yet: web_requests',
  )
  assert.match(
    says(END + 90_000, { progress: two, reading: ['new_orders', 'web_requests'] }),
    /^Kafka has not told where/,
  )
  progress.ends(ends(9), END + 91_000)
  assert.match(
    says(END + 91_000, { progress: two, reading: ['new_orders', 'web_requests'] }),
    /^Kafka has not told where web_requests ends since 2026-05-01T12:00:00Z/,
  )
  assert.match(says(END, { reading: [] }), /^none of the topics new_orders exists/)
  const unwritable = { sinceMs: END, reason: 'database or disk is full' }
  assert.match(
    says(END, { intake: { unwritable, unassignedSinceMs: END } }),
    /^the store cannot be written: database or disk is full, since 2026-05-01T12:01:00Z/,
  )
})

test('a topic that is gone is forgotten', () => {
  const progress = placed(5)
  progress.ends(ends(5), END + 62_000)
  progress.forget()
  assert.equal(progress.caughtUp(), false)
  assert.equal(progress.closableMinuteMs(), -1)
})

test('what stands still for 60 s is connected anew once, and 60 s later given up', () => {
  const watchdog = new Watchdog(60_000)
  assert.equal(watchdog.judge(undefined, END), 'wait')
  assert.equal(watchdog.judge(END, END + 59_999), 'wait')
  assert.equal(watchdog.judge(END, END + 60_000), 'reconnect')
  assert.equal(watchdog.judge(END, END + 60_001), 'wait')
  assert.equal(watchdog.judge(END, END + 119_999), 'wait')
  assert.equal(watchdog.judge(END, END + 120_000), 'exit')
})

test('what the new connection mended is forgotten: the next time it is connected anew again', () => {
  const watchdog = new Watchdog(60_000)
  assert.equal(watchdog.judge(END, END + 60_000), 'reconnect')
  assert.equal(watchdog.judge(END + 61_000, END + 62_000), 'wait')
  assert.equal(watchdog.judge(END + 61_000, END + 121_000), 'reconnect')
})

test("a stream's status says in plain values how far it is", () => {
  const orders = streams.find(({ name }) => name === 'orders')!
  const progress = placed(5)
  progress.ends(ends(8), END)
  assert.deepEqual(statusOf(orders, progress, END), {
    stream: 'orders',
    topic: 'new_orders',
    caughtUp: false,
    watermarkMs: -1,
    readAtMs: END,
    lags: [{ partition: 0, records: 3 }],
  })
  progress.moved(0, 8, NO_EVENT, END)
  assert.equal(statusOf(orders, progress, END + 30_000).caughtUp, true)
  assert.equal(statusOf(orders, progress, END + 30_001).caughtUp, false, 'Kafka is silent')
})
