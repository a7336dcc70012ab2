import { and, eq, sql } from 'drizzle-orm'
import { outbox, outboxSequences, outboxSetAside } from '../database/schema.ts'
import type { NumberedRow } from './numbering.ts'
import type { Outbox } from './outbox.ts'

/** Ends events' stay in the outbox: acknowledged, or refused for good. */
export class Settlement {
  readonly #outbox: Outbox
  readonly #remove

  constructor(events: Outbox) {
    this.#outbox = events
    this.#remove = events.database
      .delete(outbox)
      .where(sql`${outbox.id} in (select value from json_each(${sql.placeholder('ids')}))`)
      .prepare()
  }

  /** Removes what Kafka has acknowledged. After a power cut rows may be back; then they are sent again, with the same numbers. */
  async acknowledged(rows: NumberedRow[]): Promise<void> {
    const ids = JSON.stringify(rows.map((row) => row.id))
    await this.#outbox.remove(
      () => ({ removed: this.#remove.run({ ids }).changes, setAside: 0 }),
      'written',
    )
  }

  /**
   * Keeps `row` apart with Kafka's reason. Its number goes to the next row, so that the sequence stays dense:
   * nothing of the batch that was refused is in Kafka.
   *
   * @param rest the rows numbered after it in the same partition, which change in place.
   */
  async refused(row: NumberedRow, rest: NumberedRow[], error: string, now: number) {
    const { database } = this.#outbox
    const renumbered = rest.map(({ id, sequence, previous }, index) => ({
      id,
      sequence: sequence - 1,
      previous: index === 0 ? row.previous : previous,
    }))
    await this.#outbox.remove(() => {
      const { topic, partition, key, value, eventTime } = row
      const kept = { topic, partition, key, value, eventTime, error, setAsideAt: now }
      database.insert(outboxSetAside).values(kept).run()
      database.delete(outbox).where(eq(outbox.id, row.id)).run()
      for (const { id, ...numbers } of renumbered) {
        database.update(outbox).set(numbers).where(eq(outbox.id, id)).run()
      }
      this.#giveBackNumber(row)
      return { removed: 1, setAside: 1 }
    }, 'synced')
    for (const [index, numbers] of renumbered.entries()) Object.assign(rest[index]!, numbers)
  }

  #giveBackNumber({ topic, partition, source, previous }: NumberedRow) {
    const { database } = this.#outbox
    const here = and(
      eq(outboxSequences.topic, topic),
      eq(outboxSequences.partition, partition),
      eq(outboxSequences.source, source),
    )
    const last = database.select().from(outboxSequences).where(here).get()
    if (!last) return
    if (last.sequence > 1) {
      database
        .update(outboxSequences)
        .set({ sequence: last.sequence - 1 })
        .where(here)
        .run()
    } else if (previous) {
      // The source has no number left: its predecessor is the last that spoke.
      const colon = previous.lastIndexOf(':')
      const before = {
        source: previous.slice(0, colon),
        sequence: Number(previous.slice(colon + 1)),
      }
      database.update(outboxSequences).set(before).where(here).run()
    } else {
      database.delete(outboxSequences).where(here).run()
    }
  }
}
