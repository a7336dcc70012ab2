import { MINUTE_MS } from '../fold/index.ts'
import { DAY_MS, type DayRows } from '../store/index.ts'

/** A minute's row: its start in ms, and one value per column. */
export type Row = { minuteMs: number; values: bigint[] }

/**
 * The rows of a day, in order: closed minutes with events, and from the stream's first start on also those
 * without, as zeros.
 */
export function rowsOf(day: DayRows, columns: readonly string[]): Row[] {
  const byMinute = new Map(day.minutes.map(({ minuteMs, columns }) => [minuteMs, columns]))
  const zerosFrom = Math.max(day.dayMs, day.firstMinuteMs)
  const lastMs = Math.min(day.dayMs + DAY_MS - MINUTE_MS, day.closedMinuteMs)
  for (let minuteMs = zerosFrom; minuteMs <= lastMs; minuteMs += MINUTE_MS) {
    if (!byMinute.has(minuteMs)) byMinute.set(minuteMs, new Map())
  }
  return [...byMinute]
    .sort(([a], [b]) => a - b)
    .map(([minuteMs, sums]) => ({
      minuteMs,
      values: columns.map((column) => sums.get(column) ?? 0n),
    }))
}

/** The published format: a header, then `YYYY-MM-DD HH:MM:SS` (UTC) and the columns as whole numbers. */
export function toCsv(rows: Row[], columns: readonly string[]): string {
  const lines = rows.map(({ minuteMs, values }) => [datetime(minuteMs), ...values].join())
  return `${[['datetime', ...columns].join(), ...lines].join('\n')}\n`
}

/** `YYYY-MM-DD`, UTC. */
export function dateOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 10)
}

function datetime(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ')
}
