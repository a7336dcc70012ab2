import { and, eq, sql } from 'drizzle-orm'
import { outbox, outboxSequences, outboxSetAside } from '../database/schema.ts'
import type { NumberedRow } from './numbering.ts'
import type { Outbox } from './outbox.ts'
import { SentEvents } from './sent.ts'

/** Ends events' stay in the outbox: acknowledged, or refused for good. */
export class Settlement {
  readonly #outbox: Outbox
  readonly #sent
  readonly #remove

  constructor(events: Outbox) {
    this.#outbox = events
    this.#sent = new SentEvents(events.database)
    this.#remove = events.database
      .delete(outbox)
      .where(sql`${outbox.id} in (select value from json_each(${sql.placeholder('ids')}))`)
      .prepare()
  }

  /** Keeps what Kafka has acknowledged apart. After a power cut rows may be back; then they are sent again, with the same numbers. */
  async acknowledged(rows: NumberedRow[], now: number): Promise<void> {
    const ids = JSON.stringify(rows.map((row) => row.id))
    await this.#outbox.remove(() => {
      this.#sent.keep(ids, rows.length, now)
      return { removed: this.#remove.run({ ids }).changes, setAside: 0 }
    }, 'written')
  }

  /**
   * Keeps `row` apart with Kafka's reason. Where nothing of the batch can be in Kafka, its number goes to the next
   * row, so that the sequence stays dense. Where an attempt before may have brought it there, the number is spent:
   * given to another, it would make that one a duplicate. The row keeps it, and readers see a gap until it is resent.
   *
   * @param rest the rows numbered after it in the same partition, which change in place.
   */
  async refused(row: NumberedRow, rest: NumberedRow[], error: string, now: number) {
    const { database } = this.#outbox
    const changed = row.perhapsSent ? handOn(row, rest) : moveUp(row, rest)
    await this.#outbox.remove(() => {
      const { topic, partition, key, value, eventTime, source, sequence, previous } = row
      const event = { topic, partition, key, value, eventTime, error, setAsideAt: now }
      const number = row.perhapsSent ? { source, sequence, previous } : {}
      database
        .insert(outboxSetAside)
        .values({ ...event, ...number })
        .run()
      database.delete(outbox).where(eq(outbox.id, row.id)).run()
      for (const { id, ...numbers } of changed) {
        database.update(outbox).set(numbers).where(eq(outbox.id, id)).run()
      }
      if (!row.perhapsSent) this.#giveBackNumber(row)
      return { removed: 1, setAside: 1 }
    }, 'synced')
    for (const [index, numbers] of changed.entries()) Object.assign(rest[index]!, numbers)
  }

  #giveBackNumber({ topic, partition, source }: NumberedRow) {
    const { database } = this.#outbox
    const here = and(
      eq(outboxSequences.topic, topic),
      eq(outboxSequences.partition, partition),
      eq(outboxSequences.source, source),
    )
    database
      .update(outboxSequences)
      .set({ sequence: sql`${outboxSequences.sequence} - 1` })
      .where(here)
      .run()
    // A source with no number left never spoke: its predecessor is the last that did.
    database
      .delete(outboxSequences)
      .where(and(here, eq(outboxSequences.sequence, 0)))
      .run()
  }
}

type Numbers = Pick<NumberedRow, 'id' | 'sequence' | 'previous'>

function moveUp({ previous }: NumberedRow, rest: NumberedRow[]): Numbers[] {
  return rest.map((row, index) => ({
    id: row.id,
    sequence: row.sequence - 1,
    previous: index === 0 ? previous : row.previous,
  }))
}

/** What a first record says of its predecessor, the next one of the same source has to say. */
function handOn({ source, previous }: NumberedRow, [next]: NumberedRow[]): Numbers[] {
  if (previous === null || next?.source !== source) return []
  return [{ id: next.id, sequence: next.sequence, previous }]
}
