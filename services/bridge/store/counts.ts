import { and, asc, eq, inArray, sql } from 'drizzle-orm'
import type { Counted, Delta, MinuteDelta, PartitionKey } from '../fold/index.ts'
import { type BridgeDatabase, countRows } from './database.ts'
import { dayOf } from './days.ts'
import {
  baselines,
  deadLetters,
  evictions,
  lateMinutes,
  minutes,
  pendingDays,
  rejections,
  series,
  streamStates,
} from './schema.ts'

/** Dead letters kept per topic; beyond, the oldest are dropped and counted as evicted. */
const MAX_DEAD_LETTERS = 10_000

/** What events of one partition add. */
type CountedOf = Counted & { key: PartitionKey; stream: string }

/** Adds what a delta counts. Prepared once: this runs for every fetch. */
export function createCounts(database: BridgeDatabase) {
  const { placeholder } = sql
  const added = sql`value + excluded.value`
  const addSeries = database
    .insert(series)
    .values({
      measure: placeholder('measure'),
      labels: placeholder('labels'),
      partition: placeholder('partition'),
      value: placeholder('value'),
    })
    .onConflictDoUpdate({
      target: [series.measure, series.labels, series.partition],
      set: { value: added },
    })
    .prepare()
  const addMinute = database
    .insert(minutes)
    .values({
      stream: placeholder('stream'),
      minuteMs: placeholder('minuteMs'),
      column: placeholder('column'),
      partition: placeholder('partition'),
      value: placeholder('value'),
    })
    .onConflictDoUpdate({
      target: [minutes.stream, minutes.minuteMs, minutes.column, minutes.partition],
      set: { value: added },
    })
    .prepare()
  const readStream = database
    .select()
    .from(streamStates)
    .where(eq(streamStates.stream, placeholder('stream')))
    .prepare()

  function add(delta: Delta) {
    addCounted(delta)
    for (const [reason, records] of Object.entries(delta.rejected)) {
      database
        .insert(rejections)
        .values({ topic: delta.key.topic, reason, records })
        .onConflictDoUpdate({
          target: [rejections.topic, rejections.reason],
          set: { records: sql`records + excluded.records` },
        })
        .run()
    }
    if (delta.deadLetters.length > 0) bury(delta)
  }

  function addCounted(counted: CountedOf) {
    const { partition } = counted.key
    for (const row of counted.series) {
      exactly(`${row.measure} ${row.labels}`, () => addSeries.run({ ...row, partition }))
    }
    if (counted.minutes.length > 0) addMinutes(counted)
  }

  function addMinutes({ key: { partition }, stream, minutes, future }: CountedOf) {
    const state = readStream.get({ stream })
    if (!state) throw new Error(`stream ${stream} was not made known to the store`)
    let late = 0
    let tooLate = 0
    for (const minute of minutes) {
      if (minute.minuteMs < state.sealedBeforeMs) {
        tooLate += minute.events
        for (const column of minute.columns) addBaseline(stream, column)
        continue
      }
      for (const { column, value } of minute.columns) {
        const { minuteMs } = minute
        exactly(`column ${column} of ${stream}, minute ${minuteMs}`, () =>
          addMinute.run({ stream, minuteMs, column, partition, value }),
        )
      }
      if (minute.minuteMs > state.closedMinuteMs) continue
      late += minute.events
      markLate(stream, minute)
    }
    if (late + tooLate + future === 0) return
    database
      .update(streamStates)
      .set({
        late: sql`${streamStates.late} + ${late}`,
        tooLate: sql`${streamStates.tooLate} + ${tooLate}`,
        future: sql`${streamStates.future} + ${future}`,
      })
      .where(eq(streamStates.stream, stream))
      .run()
  }

  function addBaseline(stream: string, { column, value }: { column: string; value: bigint }) {
    exactly(`column ${column} of ${stream}, all sealed days`, () =>
      database
        .insert(baselines)
        .values({ stream, column, value })
        .onConflictDoUpdate({ target: [baselines.stream, baselines.column], set: { value: added } })
        .run(),
    )
  }

  function markLate(stream: string, { minuteMs }: MinuteDelta) {
    const raised = { version: sql`version + 1` }
    database
      .insert(lateMinutes)
      .values({ stream, minuteMs })
      .onConflictDoUpdate({ target: [lateMinutes.stream, lateMinutes.minuteMs], set: raised })
      .run()
    database
      .insert(pendingDays)
      .values({ stream, dayMs: dayOf(minuteMs) })
      .onConflictDoUpdate({ target: [pendingDays.stream, pendingDays.dayMs], set: raised })
      .run()
  }

  function bury({ key, deadLetters: letters, evicted }: Delta) {
    for (const letter of letters)
      database
        .insert(deadLetters)
        .values({ ...key, ...letter })
        .run()
    const ofTopic = eq(deadLetters.topic, key.topic)
    const excess = Math.max(0, countRows(database, deadLetters, ofTopic) - MAX_DEAD_LETTERS)
    if (excess > 0) {
      const oldest = database
        .select({ id: deadLetters.id })
        .from(deadLetters)
        .where(ofTopic)
        .orderBy(asc(deadLetters.id))
        .limit(excess)
      database
        .delete(deadLetters)
        .where(and(ofTopic, inArray(deadLetters.id, oldest)))
        .run()
    }
    if (excess + evicted === 0) return
    database
      .insert(evictions)
      .values({ topic: key.topic, letters: excess + evicted })
      .onConflictDoUpdate({
        target: evictions.topic,
        set: { letters: sql`letters + excluded.letters` },
      })
      .run()
  }

  return { add, addCounted }
}

/** @throws Error that names the sum, when `add` would make it pass 64 bits; the transaction is then undone. */
function exactly(what: string, add: () => void) {
  try {
    add()
  } catch (error) {
    if ((error as { code?: string }).code !== 'SQLITE_CONSTRAINT_CHECK') throw error
    throw new Error(`the sum ${what} would pass 2^63 - 1, the most that can be stored exactly`, {
      cause: error,
    })
  }
}
