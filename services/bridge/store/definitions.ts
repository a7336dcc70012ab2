import { and, eq, sql } from 'drizzle-orm'
import type { Declaration } from '../streams/index.ts'
import type { BridgeDatabase } from './database.ts'
import type { DefinitionConflict } from './port.ts'
import { baselines, definitions, partitions, series } from './schema.ts'

type Row = typeof definitions.$inferSelect

/** Compares what the names of a stream mean now with what they meant when they were counted. */
export function createDefinitions(
  database: BridgeDatabase,
  /** Marks every published day of a stream to be written again. */
  reviseDays: (stream: string) => void,
) {
  /** Writes down what is new. Conflicts, and nothing changed, when a name means something else. */
  function define(stream: string, declared: readonly Declaration[]): DefinitionConflict[] {
    const known = database
      .select()
      .from(definitions)
      .where(eq(definitions.stream, stream))
      .orderBy(sql`rowid`)
      .all()
    const events = eventsOf(stream)
    const find = ({ kind, name }: Declaration) =>
      known.find((row) => row.kind === kind && row.name === name)
    const conflicts = [
      ...declared.flatMap((one) => conflictOf(one, find(one), events)),
      ...orderConflict(declared, known),
    ]
    if (conflicts.length > 0) return conflicts
    // A store that knows no meanings yet was counted with these: its version had no others.
    const first = known.length === 0
    const added = declared.filter((one) => !find(one))
    const back = known.filter((row) => row.removed > 0 && isAmong(declared, row))
    const gone = known.filter((row) => row.removed === 0 && !isAmong(declared, row))
    for (const one of added) add(stream, one, first ? 0 : events, first)
    for (const row of back) setRemoved(row, 0)
    for (const row of gone) setRemoved(row, events + 1)
    // One header in all files: engines read them as one table.
    if (!first && [...added, ...back, ...gone].some(({ kind }) => kind === 'column')) {
      reviseDays(stream)
    }
    return []
  }

  function add(
    stream: string,
    { kind, name, meaning }: Declaration,
    events: number,
    first: boolean,
  ) {
    const eventsBefore = kind === 'stream' ? 0 : events
    database.insert(definitions).values({ stream, kind, name, meaning, eventsBefore }).run()
    if (kind === 'column' && !first) addBaseline(stream, name, meaning)
  }

  /** Events counted so far. */
  function eventsOf(stream: string): number {
    const row = database
      .select({ events: sql<bigint>`total(${partitions.accepted} + ${partitions.redriven})` })
      .from(partitions)
      .where(eq(partitions.stream, stream))
      .get()
    return Number(row?.events ?? 0)
  }

  /** A new column of a measure that was counted before: what came before is in no minute of it. */
  function addBaseline(stream: string, column: string, meaning: string) {
    const { measure, where } = JSON.parse(meaning) as ColumnMeaning
    const rows = database.select().from(series).where(eq(series.measure, measure)).all()
    const value = rows
      .filter(({ labels }) => matches(JSON.parse(labels) as Record<string, string>, where))
      .reduce((sum, row) => sum + row.value, 0n)
    if (value === 0n) return
    database
      .insert(baselines)
      .values({ stream, column, value })
      .onConflictDoUpdate({ target: [baselines.stream, baselines.column], set: { value } })
      .run()
  }

  function setRemoved({ stream, kind, name }: Row, removed: number) {
    database
      .update(definitions)
      .set({ removed })
      .where(
        and(eq(definitions.stream, stream), eq(definitions.kind, kind), eq(definitions.name, name)),
      )
      .run()
  }

  return { define }
}

type ColumnMeaning = { measure: string; where: Record<string, string> }

function matches(labels: Record<string, string>, where: Record<string, string>): boolean {
  return Object.entries(where).every(([label, value]) => labels[label] === value)
}

function isAmong(declared: readonly Declaration[], { kind, name }: Row): boolean {
  return declared.some((one) => one.kind === kind && one.name === name)
}

/** What was taken out and is back before anything was counted has missed nothing: a version that was put back. */
function conflictOf(
  { kind, name, meaning }: Declaration,
  known: Row | undefined,
  events: number,
): DefinitionConflict[] {
  if (!known) return []
  const removed = known.removed > 0 && known.removed !== events + 1
  if (!removed && known.meaning === meaning) return []
  return [{ kind, name, counted: known.meaning, declared: meaning, removed }]
}

/** Readers know columns by their place: those that were there keep their order, and new ones come behind them. */
function orderConflict(declared: readonly Declaration[], known: Row[]): DefinitionConflict[] {
  const columns = declared.filter(({ kind }) => kind === 'column').map(({ name }) => name)
  const before = known
    .filter(({ kind, name }) => kind === 'column' && columns.includes(name))
    .map(({ name }) => name)
  const place = before.findIndex((name, i) => columns[i] !== name)
  if (place < 0) return []
  const name = columns[place]!
  const counted = `no column before ${before[place]}`
  return [{ kind: 'column', name, counted, declared: `column ${place + 1}`, removed: false }]
}
