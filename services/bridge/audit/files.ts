import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { ReadOnlyStore } from '../store/read-only.ts'
import type { StreamDefinition } from '../streams/index.ts'
import { add, readColumns, type Sums } from './columns.ts'
import { DAY_MS, daysOf, readDay, readStreams, type StreamDays } from './day.ts'
import { compareFile } from './day-file.ts'
import type { ColumnAccount, Findings } from './report.ts'

export type FileFindings = Findings & { columns: ColumnAccount[] }

/** Compares the minute files under `lake` with the store, and adds up both. The caller reads in one transaction. */
export function checkFiles(
  store: ReadOnlyStore,
  lake: string,
  streams: readonly StreamDefinition[],
): FileFindings {
  const found: FileFindings = { differences: [], notes: [], columns: [] }
  for (const state of readStreams(store)) {
    const definition = streams.find(({ name }) => name === state.stream)
    if (definition) checkStream(store, lake, state, columnsOf(store, definition), found)
  }
  return found
}

/** The columns that are in the files, in their order. */
function columnsOf(store: ReadOnlyStore, { name, columns }: StreamDefinition): string[] {
  const counted = store
    .prepare<[string], string>(
      "select name from definitions where stream = ? and kind = 'column' and removed = 0",
    )
    .pluck()
    .all(name)
  return columns.map((column) => column.name).filter((column) => counted.includes(column))
}

function checkStream(
  store: ReadOnlyStore,
  lake: string,
  state: StreamDays,
  columns: readonly string[],
  found: FileFindings,
) {
  const { stream } = state
  const files: Sums = new Map()
  const pending: Sums = new Map()
  for (const dayMs of allDays(store, lake, state)) {
    const date = new Date(dayMs).toISOString().slice(0, 10)
    const day = readDay(store, state, dayMs)
    const { csv, differences } = compareFile(lake, stream, date, day, columns)
    if (day.pending && differences.length > 0) {
      found.notes.push({
        where: `${stream} ${date}`,
        note: 'pending: its file waits to be written',
      })
      for (const values of day.rows.values()) add(pending, values)
    } else {
      const mend = { stream, dayMs }
      found.differences.push(...differences.map((one) => ({ ...one, mend })))
      for (const { values } of csv.rows) add(files, values)
    }
    for (const values of day.open.values()) add(pending, values)
  }
  found.columns.push(...readColumns(store, stream, columns, files, pending))
}

/** The store's, and those that have a file. */
function allDays(store: ReadOnlyStore, lake: string, state: StreamDays): number[] {
  const written = globSync(join(lake, 'csv', state.stream, 'dt=*')).map((folder) =>
    Date.parse(basename(folder).slice('dt='.length)),
  )
  const unsealed = written.filter((dayMs) => dayMs >= state.sealedMs && dayMs % DAY_MS === 0)
  return [...new Set([...daysOf(store, state), ...unsealed])].sort((a, b) => a - b)
}
