import { join } from 'node:path'
import Database from 'better-sqlite3'

export type PartitionRow = { key: string; start: number; position: number }
export type StreamRow = { closedMs: number; sealedBeforeMs: number }
export type SourceRow = { key: string; source: string; last: number; gaps: string }

/** The database of a bridge, read beside it by statements of our own. A key is partition/incarnation. */
export type Tables = ReturnType<typeof openTables>

export function openTables(folder: string) {
  const database = new Database(join(folder, 'bridge', 'bridge.db'), { readonly: true })
  const key = "partition || '/' || incarnation as key"
  const sums = (query: string) => database.prepare(query).safeIntegers().raw()
  return {
    partitions: database.prepare<[], PartitionRow>(
      `select ${key}, start, position from partitions`,
    ),
    sources: database.prepare<[], SourceRow>(`select ${key}, source, last, gaps from sources`),
    stream: database.prepare<[], StreamRow>(
      'select closed_minute_ms as closedMs, sealed_before_ms as sealedBeforeMs from streams',
    ),
    minutes: sums(
      'select minute_ms, "column", sum(value) from minutes group by minute_ms, "column"',
    ) as Database.Statement<[], [bigint, string, bigint]>,
    baselines: sums('select "column", value from baselines') as Database.Statement<
      [],
      [string, bigint]
    >,
    close: () => void database.close(),
  }
}
