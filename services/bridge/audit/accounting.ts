import type { ReadOnlyStore } from '../store/read-only.ts'
import { INVARIANTS, type Invariant } from './invariants.ts'
import type { Difference, PartitionAccount } from './report.ts'

/** Rows of one invariant that are told; a broken one may be broken everywhere. */
const MAX_ROWS = 100

export type Violation = { place: string | bigint; expected: string | bigint; found: unknown }

/** Runs the invariants. The caller puts them into one transaction. */
export function checkInvariants(store: ReadOnlyStore): Difference[] {
  return INVARIANTS.flatMap((invariant) => check(store, invariant))
}

function check(store: ReadOnlyStore, { name, sentence, sql }: Invariant): Difference[] {
  const differ = (row: Violation): Difference => ({
    check: name,
    where: String(row.place),
    expected: String(row.expected),
    found: String(row.found),
  })
  try {
    const rows = store.prepare<[], Violation>(`${sql}\nlimit ${MAX_ROWS}`).all()
    return rows.map(differ)
  } catch (error) {
    // A sum of sums beyond 64 bits, or JSON that is none: the statement itself cannot be evaluated.
    const found = (error as Error).message
    return [differ({ place: 'the store', expected: sentence, found })]
  }
}

export function readPartitions(store: ReadOnlyStore): PartitionAccount[] {
  const rows = store
    .prepare<[], Record<string, bigint | string>>(
      `select topic, partition, incarnation, start, position, accepted, rejected, duplicate, undelivered, skipped,
        lost, recovered, redriven
      from partitions order by topic, partition, incarnation`,
    )
    .all()
  return rows.map((row) => {
    const numbers = Object.entries(row).map(([name, value]) => [
      name,
      typeof value === 'bigint' ? Number(value) : value,
    ])
    return Object.fromEntries(numbers) as PartitionAccount
  })
}
