import type { ReadOnlyStore } from '../store/read-only.ts'

export const MINUTE_MS = 60_000
export const DAY_MS = 86_400_000

/** How far a stream's minutes are. Times are ms; `closedMs` -1: none. */
export type StreamDays = { stream: string; firstMs: number; closedMs: number; sealedMs: number }

/** A day as the store has it: the rows that its file must have, and whether it waits to be written. */
export type StoreDay = {
  pending: boolean
  /** Closed minutes, by their start. */
  rows: Map<number, Map<string, bigint>>
  /** Minutes that are not closed yet. */
  open: Map<number, Map<string, bigint>>
}

export function readStreams(store: ReadOnlyStore): StreamDays[] {
  return store
    .prepare<[], { stream: string; first: bigint; closed: bigint; sealed: bigint }>(
      `select stream, first_minute_ms as first, closed_minute_ms as closed, sealed_before_ms as sealed
      from streams order by stream`,
    )
    .all()
    .map(({ stream, first, closed, sealed }) => ({
      stream,
      firstMs: Number(first),
      closedMs: Number(closed),
      sealedMs: Number(sealed),
    }))
}

/** The days (ms) that are not sealed and hold events, or lie between the stream's start and its last closed minute. */
export function daysOf(store: ReadOnlyStore, { stream, firstMs, closedMs, sealedMs }: StreamDays) {
  const days = store
    .prepare<[string], bigint>(
      `select distinct minute_ms - minute_ms % ${DAY_MS} from minutes where stream = ?`,
    )
    .pluck()
    .all(stream)
    .map(Number)
  const start = Math.max(firstMs, sealedMs)
  for (let day = start - (start % DAY_MS); day <= closedMs; day += DAY_MS) days.push(day)
  return [...new Set(days)].sort((a, b) => a - b)
}

export function readDay(
  store: ReadOnlyStore,
  { stream, firstMs, closedMs }: StreamDays,
  dayMs: number,
): StoreDay {
  const day: StoreDay = {
    pending: isPending(store, stream, dayMs),
    rows: new Map(),
    open: new Map(),
  }
  for (const { minute, column, value } of readMinutes(store, stream, dayMs)) {
    const minuteMs = Number(minute)
    const side = minuteMs <= closedMs ? day.rows : day.open
    const columns = side.get(minuteMs) ?? new Map<string, bigint>()
    side.set(minuteMs, columns.set(column, value))
  }
  const lastMs = Math.min(dayMs + DAY_MS - MINUTE_MS, closedMs)
  // From the stream's first start on, a minute without events has a row of zeros.
  for (let at = Math.max(dayMs, firstMs); at <= lastMs; at += MINUTE_MS) {
    if (!day.rows.has(at)) day.rows.set(at, new Map())
  }
  return day
}

function isPending(store: ReadOnlyStore, stream: string, dayMs: number): boolean {
  const row = store.prepare('select 1 from pending_days where stream = ? and day_ms = ?')
  return row.get(stream, dayMs) !== undefined
}

function readMinutes(store: ReadOnlyStore, stream: string, dayMs: number) {
  return store
    .prepare<[string, number, number], { minute: bigint; column: string; value: bigint }>(
      `select minute_ms as minute, "column", sum(value) as value from minutes
      where stream = ? and minute_ms >= ? and minute_ms < ? group by minute_ms, "column"`,
    )
    .all(stream, dayMs, dayMs + DAY_MS)
}
