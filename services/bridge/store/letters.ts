import { and, asc, count, desc, eq, gte, isNull, lte, max, sql } from 'drizzle-orm'
import type { BridgeDatabase } from './database.ts'
import type { StoredLetter } from './port.ts'
import { deadLetters, evictions } from './schema.ts'

/** Which dead letters; a bound that is not set lets all pass. Times are the records', ms, both included. */
export type LetterFilter = {
  topic?: string | undefined
  reason?: string | undefined
  sinceMs?: number | undefined
  untilMs?: number | undefined
}

/** How many dead letters fit a filter, and how many of those still wait to be counted. */
export type LetterTotals = { letters: number; waiting: number }

/** Reads dead letters, and marks what became of them. */
export function createLetters(database: BridgeDatabase) {
  const fits = ({ topic, reason, sinceMs, untilMs }: LetterFilter) =>
    and(
      topic === undefined ? undefined : eq(deadLetters.topic, topic),
      reason === undefined ? undefined : eq(deadLetters.reason, reason),
      sinceMs === undefined ? undefined : gte(deadLetters.timestampMs, sinceMs),
      untilMs === undefined ? undefined : lte(deadLetters.timestampMs, untilMs),
    )

  /** Ids grow by one with each burial, and the newest letter is never dropped: what is missing below it was evicted. */
  function read(id: number): StoredLetter | 'evicted' | undefined {
    const row = database.select().from(deadLetters).where(eq(deadLetters.id, id)).get()
    if (row) return toLetter(row)
    const newest = database
      .select({ id: max(deadLetters.id) })
      .from(deadLetters)
      .get()?.id
    return id >= 1 && id < Number(newest ?? 0) ? 'evicted' : undefined
  }

  /** The newest first. */
  function list(filter: LetterFilter, limit: number): StoredLetter[] {
    return database
      .select()
      .from(deadLetters)
      .where(fits(filter))
      .orderBy(desc(deadLetters.id))
      .limit(limit)
      .all()
      .map(toLetter)
  }

  /** Ids of those not redriven yet, in order of burial. */
  function waiting(filter: LetterFilter): number[] {
    return database
      .select({ id: deadLetters.id })
      .from(deadLetters)
      .where(and(fits(filter), isNull(deadLetters.redrivenMs)))
      .orderBy(asc(deadLetters.id))
      .all()
      .map(({ id }) => Number(id))
  }

  function totals(filter: LetterFilter): LetterTotals {
    const row = database
      .select({ letters: count(), redriven: count(deadLetters.redrivenMs) })
      .from(deadLetters)
      .where(fits(filter))
      .get()
    const letters = Number(row?.letters ?? 0)
    return { letters, waiting: letters - Number(row?.redriven ?? 0) }
  }

  /** Dropped so far, of one topic or of all; which reasons and times they had is not known any more. */
  function evicted(topic: string | undefined): number {
    const row = database
      .select({ letters: sql<bigint>`total(${evictions.letters})` })
      .from(evictions)
      .where(topic === undefined ? undefined : eq(evictions.topic, topic))
      .get()
    return Number(row?.letters ?? 0)
  }

  function markRedriven(id: number, redrivenMs: number) {
    database
      .update(deadLetters)
      .set({ redrivenMs, redriveError: null })
      .where(eq(deadLetters.id, id))
      .run()
  }

  /** Keeps why the last attempt did not count it; one that was counted stays as it is. */
  function markKept(id: number, redriveError: string) {
    database
      .update(deadLetters)
      .set({ redriveError })
      .where(and(eq(deadLetters.id, id), isNull(deadLetters.redrivenMs)))
      .run()
  }

  return { read, list, waiting, totals, evicted, markRedriven, markKept }
}

function toLetter(row: typeof deadLetters.$inferSelect): StoredLetter {
  return { ...row, id: Number(row.id), reason: row.reason as StoredLetter['reason'] }
}
