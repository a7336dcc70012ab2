import { asc, sql } from 'drizzle-orm'
import type { ShopDatabase } from '../database/open.ts'
import { outbox, outboxSent } from '../database/schema.ts'

/** How many acknowledged events are kept, and for how long. */
export const MAX_KEPT_EVENTS = 1_000_000
export const MAX_KEPT_MS = 7 * 24 * 3_600_000
/** Looked at for removal with each acknowledgement: more than it adds, so that what piled up is worked off. */
const MIN_TRIMMED_EVENTS = 100

/** The events that Kafka has acknowledged, oldest first. Its methods are called within a transaction. */
export class SentEvents {
  readonly #keep
  readonly #trim

  constructor(database: ShopDatabase) {
    this.#keep = database
      .insert(outboxSent)
      .select(
        database
          .select({
            id: sql<number>`null`.as('id'),
            topic: outbox.topic,
            key: outbox.key,
            value: outbox.value,
            eventTime: outbox.eventTime,
            partition: outbox.partition,
            source: outbox.source,
            sequence: outbox.sequence,
            previous: outbox.previous,
            acknowledgedAt: sql<number>`${sql.placeholder('now')}`.as('acknowledged_at'),
          })
          .from(outbox)
          .where(sql`${outbox.id} in (select value from json_each(${sql.placeholder('ids')}))`)
          .orderBy(asc(outbox.id)),
      )
      .prepare()
    const oldest = sql`select id, acknowledged_at from ${outboxSent} order by id limit ${sql.placeholder('limit')}`
    this.#trim = database
      .delete(outboxSent)
      .where(
        sql`id in (select id from (${oldest}) where acknowledged_at < ${sql.placeholder('before')} or id <= (select max(id) from ${outboxSent}) - ${MAX_KEPT_EVENTS})`,
      )
      .prepare()
  }

  /**
   * Copies events from the outbox, and removes a few that are too old or too many.
   *
   * @param ids JSON array.
   * @param now milliseconds since 1970.
   */
  keep(ids: string, events: number, now: number) {
    this.#keep.run({ ids, now })
    const limit = Math.max(MIN_TRIMMED_EVENTS, 2 * events)
    this.#trim.run({ limit, before: now - MAX_KEPT_MS })
  }
}
