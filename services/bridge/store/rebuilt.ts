import { open } from 'node:fs/promises'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { eq, sql } from 'drizzle-orm'
import { MINUTE_MS } from '../fold/index.ts'
import { type BridgeDatabase, openDatabase } from './database.ts'
import { createDays, dayOf } from './days.ts'
import type { Store } from './port.ts'
import { lateMinutes, meta, pendingDays, revisions, streamStates } from './schema.ts'
import { createSqliteStore } from './sqlite-store.ts'
import { STORE_ID, type Summary, summarize } from './summary.ts'

/** A store that is being counted anew beside the one that runs, and what only a rebuild does to it. */
export type RebuiltStore = {
  store: Store
  summary(): Summary
  /** A fact about the rebuild, kept in the store. */
  note(name: string): string | undefined
  setNote(name: string, value: string): void
  setStoreId(storeId: string): void
  /** Takes over what is no function of the log: what was late, future and too late, how far minutes are closed and days sealed. Nothing waits to be written then. */
  setStream(stream: string, given: StreamFacts): void
  /** Takes over how often each published minute has changed, from the database `name` in the same folder. */
  takeRevisions(name: string): void
  /** Marks a day to be written. */
  markPending(stream: string, dayMs: number): void
  /** These published rows of a day have changed: its revision will be the one after `revision`, and it waits to be written. */
  revise(stream: string, minutesMs: readonly number[], revision: number): void
  /** The day that holds `minuteMs` has been published with `revision`. */
  setRevision(stream: string, minuteMs: number, revision: number): void
  /** Days with minutes, oldest first. */
  days(stream: string): number[]
  /** Closes it as one file, durable. */
  finish(): Promise<void>
}

export type StreamFacts = {
  late: number
  future: number
  tooLate: number
  closedMinuteMs: number
  sealedBeforeMs: number
}

/** @throws StartError as opening a store does. */
export function openRebuiltStore(folder: string, name: string): RebuiltStore {
  const opened = openDatabase(folder, name)
  const { database } = opened
  const client = database.$client
  // Nothing is lost with it: `finish` syncs it whole.
  client.pragma('synchronous = off')
  const store = createSqliteStore(opened)
  const days = createDays(database)
  const now = createMarks(database)
  return {
    store,
    summary: () => summarize(client),
    note: (wanted) => database.select().from(meta).where(eq(meta.name, wanted)).get()?.value,
    setNote: (noted, value) => setMeta(database, noted, value),
    setStoreId: (storeId) => setMeta(database, STORE_ID, storeId),
    setStream: (stream, { closedMinuteMs, sealedBeforeMs, ...counts }) =>
      database.transaction(() => {
        // A day is sealed only when all of it is closed.
        const closed = Math.max(closedMinuteMs, sealedBeforeMs - MINUTE_MS)
        const set = (values: object) =>
          database.update(streamStates).set(values).where(eq(streamStates.stream, stream)).run()
        now.forget(stream)
        set({ ...counts, closedMinuteMs: closed })
        days.seal(stream, sealedBeforeMs)
        set({ closedMinuteMs, sealedBeforeMs })
      }),
    takeRevisions: (from) => {
      client.prepare('attach ? as old').run(join(folder, from))
      client.exec('delete from revisions; insert into revisions select * from old.revisions')
      client.exec('detach old')
    },
    markPending: now.pend,
    revise: (stream, minutesMs, revision) =>
      database.transaction(() => {
        for (const minuteMs of minutesMs) {
          now.setRevision(stream, minuteMs, revision)
          now.late(stream, minuteMs)
        }
        now.pend(stream, dayOf(minutesMs[0]!))
      }),
    setRevision: now.setRevision,
    days: now.days,
    finish: async () => {
      await store.end()
      await syncFile(join(folder, name))
    },
  }
}

/** Puts what a store's write-ahead log holds into its file, as far as it is sound. Nobody else may have it open. */
export function settleLog(file: string) {
  try {
    const client = new Database(file)
    client.pragma('wal_checkpoint(truncate)')
    client.close()
  } catch {
    // Damaged: it stays as it is.
  }
}

async function syncFile(file: string) {
  const handle = await open(file, 'r+')
  await handle.sync()
  await handle.close()
}

function createMarks(database: BridgeDatabase) {
  return {
    forget: (stream: string) => {
      database.delete(pendingDays).where(eq(pendingDays.stream, stream)).run()
      database.delete(lateMinutes).where(eq(lateMinutes.stream, stream)).run()
    },
    pend: (stream: string, dayMs: number) => {
      database.insert(pendingDays).values({ stream, dayMs }).onConflictDoNothing().run()
    },
    late: (stream: string, minuteMs: number) => {
      database.insert(lateMinutes).values({ stream, minuteMs }).onConflictDoNothing().run()
    },
    setRevision: (stream: string, minuteMs: number, revision: number) => {
      database
        .insert(revisions)
        .values({ stream, minuteMs, revision })
        .onConflictDoUpdate({
          target: [revisions.stream, revisions.minuteMs],
          set: { revision: sql`max(${revisions.revision}, ${revision})` },
        })
        .run()
    },
    days: (stream: string) =>
      database.$client
        .prepare(
          'select distinct minute_ms - minute_ms % 86400000 from minutes where stream = ? order by 1',
        )
        .safeIntegers(false)
        .pluck()
        .all(stream) as number[],
  }
}

function setMeta(database: BridgeDatabase, name: string, value: string) {
  database
    .insert(meta)
    .values({ name, value })
    .onConflictDoUpdate({ target: meta.name, set: { value } })
    .run()
}
