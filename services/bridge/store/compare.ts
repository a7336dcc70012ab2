import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Snapshot } from './port.ts'

/** A number that one store has and another has not; null: it does not have that name at all. */
export type Difference = { name: string; before: bigint | null; after: bigint | null }

/** A column of a minute (or of all sealed days together, `minuteMs` null) that differs. */
export type MinuteDifference = {
  stream: string
  minuteMs: number | null
  column: string
  before: bigint
  after: bigint
}

const COUNTS = [
  ...(['accepted', 'rejected', 'duplicate', 'undelivered', 'skipped'] as const),
  ...(['lost', 'recovered', 'redriven'] as const),
]

/** Every counter of the two, by the name that a person knows it by. Positions too: they tell how far each is. */
export function differences(before: Snapshot, after: Snapshot): Difference[] {
  const [old, anew] = [countersOf(before), countersOf(after)]
  const names = [...new Set([...old.keys(), ...anew.keys()])].sort()
  return names
    .map((name) => ({ name, before: old.get(name) ?? null, after: anew.get(name) ?? null }))
    .filter(({ before, after }) => (before ?? 0n) !== (after ?? 0n))
}

function countersOf({ series, partitions, rejected, evicted, streams }: Snapshot) {
  return new Map<string, bigint>([
    ...series.map(({ measure, labels, value }) => [`${measure} ${labels}`, value] as const),
    ...partitions.flatMap(({ topic, partition, position, ...counts }) => [
      [`${topic}/${partition} position`, BigInt(position)] as const,
      ...COUNTS.map((name) => [`${topic}/${partition} ${name}`, BigInt(counts[name])] as const),
    ]),
    ...rejected.map(
      ({ topic, reason, records }) => [`${topic} rejected: ${reason}`, BigInt(records)] as const,
    ),
    ...evicted.map(
      ({ topic, letters }) => [`${topic} evicted dead letters`, BigInt(letters)] as const,
    ),
    ...streams.flatMap(({ stream, late, future, tooLate }) => [
      [`${stream} late`, BigInt(late)] as const,
      [`${stream} future`, BigInt(future)] as const,
      [`${stream} too late`, BigInt(tooLate)] as const,
    ]),
  ])
}

/** The minutes and baselines that differ: how many, and the first `limit` of them. */
export function minuteDifferences(folder: string, before: string, after: string, limit: number) {
  const client = new Database(join(folder, after), { readonly: true })
  try {
    client.defaultSafeIntegers(true)
    client.prepare('attach ? as old').run(join(folder, before))
    const both = `
      with sums as (
        select stream, minute_ms, "column", value as after, 0 as before from main.minutes union all
        select stream, minute_ms, "column", 0, value from old.minutes union all
        select stream, null, "column", value, 0 from main.baselines union all
        select stream, null, "column", 0, value from old.baselines
      )
      select stream, minute_ms as minuteMs, "column", sum(before) as before, sum(after) as after
      from sums group by 1, 2, 3 having sum(before) <> sum(after)`
    const count = Number(client.prepare(`select count(*) from (${both})`).pluck().get())
    const rows = client.prepare(`${both} order by 1, 2, 3 limit ?`).all(limit) as (Omit<
      MinuteDifference,
      'minuteMs'
    > & { minuteMs: bigint | null })[]
    const first = rows.map(({ minuteMs, ...row }) => ({
      ...row,
      minuteMs: minuteMs === null ? null : Number(minuteMs),
    }))
    return { count, first }
  } finally {
    client.close()
  }
}
