import type { Bounds } from '../source/index.ts'

/** A row waits this long behind its minute's end before the end offset is read: clocks differ, and sends take a moment. */
const SETTLE_MS = 2_000
/** An event this long after a minute's end closes it, whatever the end offset. */
const PASSED_MS = 120_000
const MINUTE_MS = 60_000

type Reading = { high: number; readAtMs: number }
type Tracked = {
  position: number
  maxTimeMs: number
  /** The earliest end that is not reached yet, and the latest that was read. */
  target: Reading | undefined
  latest: Reading | undefined
  /** When the last end that was reached was read; -1: none. */
  reachedMs: number
  movedAtMs: number
}

/** How far each partition of one topic is, against what Kafka has. Times are ms. */
export class Progress {
  readonly #partitions = new Map<number, Tracked>()
  #readAtMs = -1

  /** When the ends were read last; -1: never. */
  get readAtMs(): number {
    return this.#readAtMs
  }

  /** The topic is gone: nothing that was known of it holds any more. */
  forget() {
    this.#partitions.clear()
    this.#readAtMs = -1
  }

  /** Takes a reading of the topic's ends. Partitions that are gone are forgotten. */
  ends(bounds: Bounds[], readAtMs: number) {
    this.#readAtMs = readAtMs
    const present = new Set(bounds.map(({ partition }) => partition))
    for (const partition of this.#partitions.keys()) {
      if (!present.has(partition)) this.#partitions.delete(partition)
    }
    for (const { partition, high } of bounds) {
      const tracked = this.#track(partition, readAtMs)
      tracked.latest = { high, readAtMs }
      tracked.target ??= tracked.latest
      settle(tracked)
    }
  }

  /** A commit, or a placed partition: its next offset, and its latest event time (-1: none). */
  moved(partition: number, position: number, maxTimeMs: number, nowMs: number) {
    const tracked = this.#track(partition, nowMs)
    if (position !== tracked.position) tracked.movedAtMs = nowMs
    tracked.position = position
    tracked.maxTimeMs = Math.max(tracked.maxTimeMs, maxTimeMs)
    settle(tracked)
  }

  /** Records not yet counted, per partition, as of the last reading. */
  lags(): { partition: number; records: number }[] {
    return [...this.#partitions].flatMap(([partition, { latest, position }]) =>
      latest ? [{ partition, records: Math.max(0, latest.high - Math.max(0, position)) }] : [],
    )
  }

  caughtUp(): boolean {
    return this.#partitions.size > 0 && this.lags().every(({ records }) => records === 0)
  }

  /** All partitions are complete up to this event time, as far as can be known; -1: unknown. */
  watermarkMs(): number {
    if (this.#partitions.size === 0 || this.#readAtMs < 0) return -1
    const each = [...this.#partitions.values()].map(({ reachedMs, maxTimeMs }) =>
      Math.max(reachedMs < 0 ? -1 : reachedMs - SETTLE_MS, maxTimeMs - PASSED_MS),
    )
    return Math.max(-1, Math.min(...each))
  }

  /** The latest minute (ms of its start) that is closed for every partition; -1: none. */
  closableMinuteMs(): number {
    const watermark = this.watermarkMs()
    return watermark < MINUTE_MS ? -1 : watermark - (watermark % MINUTE_MS) - MINUTE_MS
  }

  /** Partitions that are behind an end that was read, and since when (ms) they have not moved on towards it. */
  behind(): { partition: number; sinceMs: number }[] {
    return [...this.#partitions].flatMap(([partition, { target, position, movedAtMs }]) =>
      target && position < target.high
        ? [{ partition, sinceMs: Math.max(movedAtMs, target.readAtMs) }]
        : [],
    )
  }

  #track(partition: number, nowMs: number): Tracked {
    let tracked = this.#partitions.get(partition)
    if (!tracked) {
      tracked = {
        position: -1,
        maxTimeMs: -1,
        target: undefined,
        latest: undefined,
        reachedMs: -1,
        movedAtMs: nowMs,
      }
      this.#partitions.set(partition, tracked)
    }
    return tracked
  }
}

function settle(tracked: Tracked) {
  const { target, latest, position } = tracked
  if (position < 0) return
  for (const reading of [target, latest]) {
    if (!reading || position < reading.high) continue
    tracked.reachedMs = Math.max(tracked.reachedMs, reading.readAtMs)
    tracked.target = reading === target ? latest : undefined
  }
  if (tracked.target && position >= tracked.target.high) tracked.target = undefined
}
