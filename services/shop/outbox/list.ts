import { asc, count, min, sql } from 'drizzle-orm'
import type { ShopDatabase } from '../database/open.ts'
import { outbox, outboxSent, outboxSetAside } from '../database/schema.ts'

/** Times are in milliseconds since 1970. */
export type OutboxList = {
  waiting: { topic: string; events: number; oldestMs: number }[]
  /** Events that can be sent again by their numbers. */
  kept: number
  setAside: number
  /** Of those set aside, the oldest: `id` is for `outbox resend`. */
  oldestSetAside: {
    id: number
    topic: string
    eventTimeMs: number
    setAsideMs: number
    error: string
    value: string
  }[]
}

/** @param limit how many of the events that were set aside are told one by one. */
export function listOutbox(database: ShopDatabase, limit: number): OutboxList {
  return database.transaction((tx) => {
    const rowsOf = (table: typeof outboxSent | typeof outboxSetAside) =>
      tx.select({ rows: count() }).from(table).get()?.rows ?? 0
    return {
      waiting: tx
        .select({
          topic: outbox.topic,
          events: count(),
          oldestMs: sql<number>`${min(outbox.eventTime)}`,
        })
        .from(outbox)
        .groupBy(outbox.topic)
        .all(),
      kept: rowsOf(outboxSent),
      setAside: rowsOf(outboxSetAside),
      oldestSetAside: tx
        .select({
          id: outboxSetAside.id,
          topic: outboxSetAside.topic,
          eventTimeMs: outboxSetAside.eventTime,
          setAsideMs: outboxSetAside.setAsideAt,
          error: outboxSetAside.error,
          value: outboxSetAside.value,
        })
        .from(outboxSetAside)
        .orderBy(asc(outboxSetAside.id))
        .limit(limit)
        .all(),
    }
  })
}
