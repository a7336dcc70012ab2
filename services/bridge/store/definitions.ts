import { and, eq, sql } from 'drizzle-orm'
import type { Declaration } from '../streams/index.ts'
import type { BridgeDatabase } from './database.ts'
import type { DefinitionConflict } from './port.ts'
import { baselines, definitions, partitions, series } from './schema.ts'

type Row = typeof definitions.$inferSelect

/** Compares what the names of a stream mean now with what they meant when they were counted. */
export function createDefinitions(database: BridgeDatabase) {
  /** Writes down what is new. Conflicts, and nothing changed, when a name means something else. */
  function define(stream: string, declared: readonly Declaration[]): DefinitionConflict[] {
    const known = database.select().from(definitions).where(eq(definitions.stream, stream)).all()
    const find = ({ kind, name }: Declaration) =>
      known.find((row) => row.kind === kind && row.name === name)
    const conflicts = declared.flatMap((one) => conflictOf(one, find(one)))
    if (conflicts.length > 0) return conflicts
    // A store that knows no meanings yet was counted with these: its version had no others.
    const first = known.length === 0
    for (const one of declared) if (!find(one)) add(stream, one, first)
    for (const row of known) {
      if (declared.every(({ kind, name }) => kind !== row.kind || name !== row.name)) remove(row)
    }
    return []
  }

  function add(stream: string, { kind, name, meaning }: Declaration, first: boolean) {
    const eventsBefore = kind !== 'stream' && !first ? eventsOf(stream) : 0
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

  function remove({ stream, kind, name }: Row) {
    database
      .update(definitions)
      .set({ removed: 1 })
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

function conflictOf(declared: Declaration, known: Row | undefined): DefinitionConflict[] {
  if (!known || (known.removed === 0 && known.meaning === declared.meaning)) return []
  const { kind, name, meaning } = declared
  const counted = known.meaning
  return [{ kind, name, counted, declared: meaning, removed: known.removed === 1 }]
}
