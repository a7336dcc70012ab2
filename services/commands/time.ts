import { wrongUse } from './command.ts'

const AGO = /^(\d{1,6})([smhd])$/
const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/

/**
 * A moment in ms: ISO 8601, in UTC unless it says otherwise, or so long before `nowMs`, such as `2h`.
 *
 * @param option names it in the error. @throws Error of wrong use.
 */
export function parseTime(option: string, text: string, nowMs: number): number {
  const [, count, unit] = AGO.exec(text) ?? []
  if (count) return nowMs - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS]
  const [, time, , , zone] = ISO.exec(text) ?? []
  const milliseconds = ISO.test(text) ? Date.parse(time && !zone ? `${text}Z` : text) : Number.NaN
  if (!Number.isNaN(milliseconds)) return milliseconds
  throw wrongUse(
    `${option} is a time such as 2026-05-01T12:00 (UTC), or how long ago, such as 90s, 30m, 2h or 7d; got ${JSON.stringify(text)}`,
  )
}
