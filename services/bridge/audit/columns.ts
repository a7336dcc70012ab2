import type { ReadOnlyStore } from '../store/read-only.ts'
import type { ColumnAccount } from './report.ts'

/** Sums by column. */
export type Sums = Map<string, bigint>

export function add(sums: Sums, values: Sums) {
  for (const [column, value] of values) sums.set(column, (sums.get(column) ?? 0n) + value)
}

/** Where the totals of a stream's columns stand in the store, beside what its files and what waits add up to. */
export function readColumns(
  store: ReadOnlyStore,
  stream: string,
  columns: readonly string[],
  files: Sums,
  pending: Sums,
): ColumnAccount[] {
  const baselines = readSums(
    store,
    'select "column", value from baselines where stream = ?',
    stream,
  )
  const minutes = readSums(
    store,
    'select "column", sum(value) as value from minutes where stream = ? group by "column"',
    stream,
  )
  return columns.map((column) => ({
    stream,
    column,
    total: totalOf(store, stream, column),
    baseline: baselines.get(column) ?? 0n,
    minutes: minutes.get(column) ?? 0n,
    files: files.get(column) ?? 0n,
    pending: pending.get(column) ?? 0n,
  }))
}

function readSums(store: ReadOnlyStore, sql: string, stream: string): Sums {
  const rows = store.prepare<[string], { column: string; value: bigint }>(sql).all(stream)
  return new Map(rows.map(({ column, value }) => [column, value]))
}

/** Of the series of the column's measure that fit its filter. */
function totalOf(store: ReadOnlyStore, stream: string, column: string): bigint {
  const meaning = store
    .prepare<[string, string], string>(
      "select meaning from definitions where stream = ? and kind = 'column' and name = ?",
    )
    .pluck()
    .get(stream, column)!
  const { measure, where } = JSON.parse(meaning) as Meaning
  const series = store
    .prepare<[string], { labels: string; value: bigint }>(
      'select labels, value from series where measure = ?',
    )
    .all(measure)
  const fits = ({ labels }: { labels: string }) => {
    const values = JSON.parse(labels) as Record<string, string>
    return Object.entries(where).every(([label, value]) => values[label] === value)
  }
  return series.filter(fits).reduce((sum, { value }) => sum + value, 0n)
}

type Meaning = { measure: string; where: Record<string, string> }
