import { type SQL, sql } from 'drizzle-orm'
import type { ShopDatabase } from '../database/open.ts'
import { outbox, outboxSent, outboxSetAside } from '../database/schema.ts'
import { Asked, type NumberedEvent, type NumberRange } from './asked.ts'

export type Resent = {
  /** Events that were put back into the outbox. */
  events: number
  /** Events that waited there already. */
  waiting: number
  /** Numbers that are not kept any more, or were never given. */
  missing: NumberRange[]
}

/** So that a running shop, whose writes wait meanwhile, waits for a moment only. */
const MOVED_AT_ONCE = 10_000
const IMMEDIATE = { behavior: 'immediate' } as const

/**
 * Puts events that were set aside back into the outbox, in one transaction, to be numbered anew. Those whose number
 * is spent, because an attempt may have brought them to Kafka, keep it.
 *
 * @returns how many of them there were.
 */
export function resendSetAside(database: ShopDatabase, ids: number[] | 'all'): number {
  const chosen = ids === 'all' ? sql`1` : isAmong(ids)
  return database.transaction((tx) => {
    const partition = sql`case when source is null then null else "partition" end`
    tx.run(backFrom(outboxSetAside, partition, chosen))
    return tx.delete(outboxSetAside).where(chosen).run().changes
  }, IMMEDIATE)
}

/**
 * Puts the events of `ranges` back into the outbox with their own numbers: whoever reads them counts each once,
 * whatever of them arrived after all.
 */
export function resendRanges(database: ShopDatabase, ranges: NumberRange[]): Resent {
  const asked = new Asked(ranges)
  const sources = ranges.map(({ source }) => source)
  const pick = (table: string) => asked.pick(numbered(database, table, sources))
  const waiting = pick('outbox').length
  const events = resendSetAside(database, pick('outbox_set_aside'))
  const sent = pick('outbox_sent')
  let moved = 0
  for (let at = 0; at < sent.length; at += MOVED_AT_ONCE) {
    moved += moveBack(database, sent.slice(at, at + MOVED_AT_ONCE))
  }
  return { events: events + moved, waiting, missing: asked.missing() }
}

function moveBack(database: ShopDatabase, ids: number[]): number {
  return database.transaction((tx) => {
    tx.run(backFrom(outboxSent, sql`"partition"`, isAmong(ids)))
    return tx.delete(outboxSent).where(isAmong(ids)).run().changes
  }, IMMEDIATE)
}

function backFrom(
  table: typeof outboxSent | typeof outboxSetAside,
  partition: SQL,
  chosen: SQL,
): SQL {
  return sql`
    insert into ${outbox} (topic, "key", value, event_time, "partition", source, sequence, previous)
    select topic, "key", value, event_time, ${partition}, source, sequence, previous
    from ${table} where ${chosen} order by id`
}

function isAmong(ids: number[]): SQL {
  return sql`id in (select value from json_each(${JSON.stringify(ids)}))`
}

/** What these sources numbered, one event after the other, for there may be a million. */
function numbered(
  { $client }: ShopDatabase,
  table: string,
  sources: string[],
): Iterable<NumberedEvent> {
  return $client
    .prepare<[string], NumberedEvent>(
      `select id, topic, "partition", source, sequence from ${table}
       where source in (select value from json_each(?))`,
    )
    .iterate(JSON.stringify(sources))
}
