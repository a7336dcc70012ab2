import { and, asc, desc, eq, sql } from 'drizzle-orm'
import { outbox, outboxSequences } from '../database/schema.ts'
import type { Outbox } from './outbox.ts'
import type { ChoosePartition } from './partitioner.ts'

type Row = typeof outbox.$inferSelect
type Numbered = Row & { partition: number; source: string; sequence: number }
/** An event with its place in its source's sequence. */
export type NumberedRow = Numbered & {
  /** An attempt before may have brought it to Kafka: its number is spent. */
  perhapsSent: boolean
}

const BATCH_RECORDS = 500
/** Incarnations whose last number is remembered per partition; the bridge forgets those before, too. */
const MAX_SOURCES = 1_000

/**
 * Numbers events densely per source, topic and partition, so that whoever reads them can drop what was
 * sent twice and prove what is missing. A number is on the disk before it is sent, and stays.
 */
export class Numbering {
  readonly #outbox: Outbox
  readonly #source: string
  readonly #head
  readonly #number
  readonly #lastNumber
  readonly #give
  readonly #forgetOldest

  /** @param source this incarnation of the shop: 1 to 64 characters, never used before. */
  constructor(events: Outbox, source: string) {
    this.#outbox = events
    this.#source = source
    const { database } = events
    this.#head = database
      .select()
      .from(outbox)
      .where(eq(outbox.topic, sql.placeholder('topic')))
      .orderBy(asc(outbox.id))
      .limit(BATCH_RECORDS)
      .prepare()
    this.#number = database
      .update(outbox)
      .set({
        partition: sql`${sql.placeholder('partition')}`,
        source: sql`${sql.placeholder('source')}`,
        sequence: sql`${sql.placeholder('sequence')}`,
        previous: sql`${sql.placeholder('previous')}`,
      })
      .where(eq(outbox.id, sql.placeholder('id')))
      .prepare()
    this.#lastNumber = database
      .select()
      .from(outboxSequences)
      .where(
        and(
          eq(outboxSequences.topic, sql.placeholder('topic')),
          eq(outboxSequences.partition, sql.placeholder('partition')),
        ),
      )
      .orderBy(desc(outboxSequences.id))
      .limit(1)
      .prepare()
    this.#give = database
      .insert(outboxSequences)
      .values({
        topic: sql.placeholder('topic'),
        partition: sql.placeholder('partition'),
        source: sql.placeholder('source'),
        sequence: sql.placeholder('sequence'),
      })
      .onConflictDoUpdate({
        target: [outboxSequences.topic, outboxSequences.partition, outboxSequences.source],
        set: { sequence: sql`excluded.sequence` },
      })
      .prepare()
    this.#forgetOldest = database
      .delete(outboxSequences)
      .where(
        sql`id in (select id from (select id, row_number() over (partition by topic, "partition" order by id desc) as age from ${outboxSequences}) where age > ${MAX_SOURCES})`,
      )
      .prepare()
  }

  /**
   * The next events of `topic` to send, oldest first. Those that were numbered before (and perhaps sent)
   * come alone: what the next source says about its predecessor must be settled before it speaks.
   */
  next(topic: string, partitions: number, choose: ChoosePartition): Promise<NumberedRow[]> {
    return this.#outbox.write(() => {
      const head = this.#head.all({ topic })
      // A partition that is gone (a topic made anew with fewer) took its records along.
      const numbered = head.filter(isNumbered).filter((row) => row.partition < partitions)
      if (numbered.length === 0) return this.#numberAll(topic, head, choose)
      return numbered.map((row) => ({ ...row, perhapsSent: true }))
    }, 'synced')
  }

  #numberAll(topic: string, rows: Row[], choose: ChoosePartition): NumberedRow[] {
    const last = new Map<number, { sequence: number; previous: string | null }>()
    const numbered = rows.map((row) => {
      const partition = choose(row.key)
      const { sequence, previous } = last.get(partition) ?? this.#lastOf(topic, partition)
      last.set(partition, { sequence: sequence + 1, previous: null })
      const number = { partition, source: this.#source, sequence: sequence + 1, previous }
      return { ...row, ...number, perhapsSent: false }
    })
    for (const row of numbered) this.#number.run(row)
    for (const [partition, { sequence }] of last) {
      this.#give.run({ topic, partition, source: this.#source, sequence })
    }
    const isFirst = numbered.some(({ previous }) => previous !== null)
    if (isFirst) this.#forgetOldest.run()
    return numbered
  }

  #lastOf(topic: string, partition: number): { sequence: number; previous: string | null } {
    const last = this.#lastNumber.get({ topic, partition })
    if (!last) return { sequence: 0, previous: null }
    if (last.source === this.#source) return { sequence: last.sequence, previous: null }
    return { sequence: 0, previous: `${last.source}:${last.sequence}` }
  }
}

function isNumbered(row: Row): row is Numbered {
  return row.partition !== null && row.source !== null && row.sequence !== null
}
