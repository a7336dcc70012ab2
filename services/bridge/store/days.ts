import { and, asc, desc, eq, gte, lt, lte, sql } from 'drizzle-orm'
import { MINUTE_MS } from '../fold/index.ts'
import type { BridgeDatabase } from './database.ts'
import type { DayRows } from './port.ts'
import {
  baselines,
  lateMinutes,
  minutes,
  partitions,
  pendingDays,
  revisions,
  streamStates,
} from './schema.ts'

export const DAY_MS = 86_400_000

/** The start of the day (UTC) that a time in ms falls in. */
export function dayOf(timeMs: number): number {
  return timeMs - (timeMs % DAY_MS)
}

const dayColumn = sql<bigint>`${minutes.minuteMs} - ${minutes.minuteMs} % ${DAY_MS}`

/** Closing minutes, and what the days' files are made of. */
export function createDays(database: BridgeDatabase) {
  const stateOf = (stream: string) => {
    const state = database.select().from(streamStates).where(eq(streamStates.stream, stream)).get()
    if (!state) throw new Error(`stream ${stream} was not made known to the store`)
    return state
  }
  const inDay = (stream: string, dayMs: number, untilMs = dayMs + DAY_MS) =>
    and(eq(minutes.stream, stream), gte(minutes.minuteMs, dayMs), lt(minutes.minuteMs, untilMs))

  function addStream(stream: string, firstMinuteMs: number, sealedBeforeMs: number) {
    database
      .insert(streamStates)
      .values({ stream, firstMinuteMs, sealedBeforeMs })
      .onConflictDoNothing()
      .run()
  }

  /** Marks a day's files to be written. */
  function pend(stream: string, dayMs: number) {
    database
      .insert(pendingDays)
      .values({ stream, dayMs })
      .onConflictDoUpdate({
        target: [pendingDays.stream, pendingDays.dayMs],
        set: { version: sql`version + 1` },
      })
      .run()
  }

  function close(stream: string, minuteMs: number) {
    const state = stateOf(stream)
    if (minuteMs <= state.closedMinuteMs) return
    const fromMs = state.closedMinuteMs < 0 ? 0 : state.closedMinuteMs + MINUTE_MS
    const withEvents = database
      .selectDistinct({ dayMs: dayColumn })
      .from(minutes)
      .where(inDay(stream, fromMs, minuteMs + MINUTE_MS))
      .all()
    const days = new Set(withEvents.map((row) => Number(row.dayMs)))
    const zerosFrom = Math.max(fromMs, state.firstMinuteMs, state.sealedBeforeMs)
    for (let at = zerosFrom; at <= minuteMs; at = dayOf(at) + DAY_MS) days.add(dayOf(at))
    for (const dayMs of days) pend(stream, dayMs)
    database
      .update(streamStates)
      .set({ closedMinuteMs: minuteMs })
      .where(eq(streamStates.stream, stream))
      .run()
  }

  /** Every published day will be written again, with a higher revision. */
  function reviseAll(stream: string) {
    const { firstMinuteMs, closedMinuteMs, sealedBeforeMs } = stateOf(stream)
    const days = database
      .selectDistinct({ dayMs: dayColumn })
      .from(minutes)
      .where(inDay(stream, 0, closedMinuteMs + MINUTE_MS))
      .all()
      .map(({ dayMs }) => Number(dayMs))
    for (let at = firstMinuteMs; at <= closedMinuteMs; at = dayOf(at) + DAY_MS) days.push(dayOf(at))
    for (const dayMs of new Set(days.filter((day) => day >= sealedBeforeMs))) {
      const minuteMs = mostRevisedMinute(stream, dayMs)
      const raised = { version: sql`version + 1` }
      database
        .insert(lateMinutes)
        .values({ stream, minuteMs })
        .onConflictDoUpdate({ target: [lateMinutes.stream, lateMinutes.minuteMs], set: raised })
        .run()
      pend(stream, dayMs)
    }
  }

  function mostRevisedMinute(stream: string, dayMs: number): number {
    const [first] = database
      .select()
      .from(revisions)
      .where(
        and(
          eq(revisions.stream, stream),
          gte(revisions.minuteMs, dayMs),
          lt(revisions.minuteMs, dayMs + DAY_MS),
        ),
      )
      .orderBy(desc(revisions.revision))
      .limit(1)
      .all()
    return first?.minuteMs ?? dayMs
  }

  function pending(stream: string): number[] {
    return database
      .select()
      .from(pendingDays)
      .where(eq(pendingDays.stream, stream))
      .orderBy(asc(pendingDays.dayMs))
      .all()
      .map(({ dayMs }) => dayMs)
  }

  function read(stream: string, dayMs: number): DayRows {
    const { firstMinuteMs, closedMinuteMs } = stateOf(stream)
    const [pends] = database
      .select()
      .from(pendingDays)
      .where(and(eq(pendingDays.stream, stream), eq(pendingDays.dayMs, dayMs)))
      .all()
    const untilMs = Math.min(dayMs + DAY_MS, closedMinuteMs + MINUTE_MS)
    const late = lateOf(stream, dayMs)
    return {
      stream,
      dayMs,
      version: pends?.version ?? 0,
      firstMinuteMs,
      closedMinuteMs,
      minutes: readMinutes(stream, dayMs, untilMs),
      lateMinutes: late,
      revision: highestRevision(stream, dayMs, late),
      positions: database
        .select()
        .from(partitions)
        .where(eq(partitions.stream, stream))
        .orderBy(asc(partitions.topic), asc(partitions.partition), asc(partitions.incarnation))
        .all()
        .map(({ topic, partition, incarnation, position }) => ({
          topic,
          partition,
          incarnation,
          position,
        })),
    }
  }

  /** Partitions merged. */
  function readMinutes(stream: string, dayMs: number, untilMs: number): DayRows['minutes'] {
    const rows = database
      .select({
        minuteMs: minutes.minuteMs,
        column: minutes.column,
        value: sql<bigint>`sum(${minutes.value})`,
      })
      .from(minutes)
      .where(inDay(stream, dayMs, untilMs))
      .groupBy(minutes.minuteMs, minutes.column)
      .orderBy(asc(minutes.minuteMs))
      .all()
    return [...Map.groupBy(rows, (row) => row.minuteMs)].map(([minuteMs, columns]) => ({
      minuteMs,
      columns: new Map(columns.map(({ column, value }) => [column, value])),
    }))
  }

  function lateOf(stream: string, dayMs: number) {
    return database
      .select()
      .from(lateMinutes)
      .where(
        and(
          eq(lateMinutes.stream, stream),
          gte(lateMinutes.minuteMs, dayMs),
          lt(lateMinutes.minuteMs, dayMs + DAY_MS),
        ),
      )
      .all()
      .map(({ minuteMs, version }) => ({ minuteMs, version }))
  }

  function highestRevision(stream: string, dayMs: number, late: DayRows['lateMinutes']): number {
    const revised = database
      .select()
      .from(revisions)
      .where(
        and(
          eq(revisions.stream, stream),
          gte(revisions.minuteMs, dayMs),
          lt(revisions.minuteMs, dayMs + DAY_MS),
        ),
      )
      .orderBy(desc(revisions.revision))
      .all()
    const waiting = new Set(late.map(({ minuteMs }) => minuteMs))
    const now = revised.map(({ minuteMs, revision }) => revision + (waiting.has(minuteMs) ? 1 : 0))
    return Math.max(1, waiting.size > 0 ? 2 : 1, ...now)
  }

  function written(day: DayRows) {
    const { stream, dayMs, version } = day
    for (const { minuteMs, version } of day.lateMinutes) {
      database
        .insert(revisions)
        .values({ stream, minuteMs, revision: 2 })
        .onConflictDoUpdate({
          target: [revisions.stream, revisions.minuteMs],
          set: { revision: sql`revision + 1` },
        })
        .run()
      database
        .delete(lateMinutes)
        .where(
          and(
            eq(lateMinutes.stream, stream),
            eq(lateMinutes.minuteMs, minuteMs),
            eq(lateMinutes.version, version),
          ),
        )
        .run()
    }
    database
      .delete(pendingDays)
      .where(
        and(
          eq(pendingDays.stream, stream),
          eq(pendingDays.dayMs, dayMs),
          eq(pendingDays.version, version),
        ),
      )
      .run()
  }

  function seal(stream: string, beforeMs: number) {
    const { sealedBeforeMs, closedMinuteMs } = stateOf(stream)
    const [oldest] = pending(stream)
    const untilMs = Math.min(
      dayOf(beforeMs),
      dayOf(closedMinuteMs + MINUTE_MS),
      oldest ?? Number.POSITIVE_INFINITY,
    )
    if (untilMs <= sealedBeforeMs) return
    const old = and(eq(minutes.stream, stream), lt(minutes.minuteMs, untilMs))
    const sums = database
      .select({ column: minutes.column, value: sql<bigint>`sum(${minutes.value})` })
      .from(minutes)
      .where(old)
      .groupBy(minutes.column)
      .all()
    for (const { column, value } of sums) {
      database
        .insert(baselines)
        .values({ stream, column, value })
        .onConflictDoUpdate({
          target: [baselines.stream, baselines.column],
          set: { value: sql`value + excluded.value` },
        })
        .run()
    }
    database.delete(minutes).where(old).run()
    database
      .delete(revisions)
      .where(and(eq(revisions.stream, stream), lt(revisions.minuteMs, untilMs)))
      .run()
    database
      .update(streamStates)
      .set({ sealedBeforeMs: untilMs })
      .where(and(eq(streamStates.stream, stream), lte(streamStates.sealedBeforeMs, untilMs)))
      .run()
  }

  return { addStream, pend, close, reviseAll, pending, read, written, seal }
}
