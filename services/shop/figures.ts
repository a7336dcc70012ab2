import { join } from 'node:path'
import { asc, count, isNotNull } from 'drizzle-orm'
import { openExisting } from './database/open.ts'
import { orders, outbox, outboxSequences, outboxSetAside } from './database/schema.ts'

/** Which topic the shop's events of each kind are in. */
export { TOPICS } from './outbox/events.ts'

/** What the shop says it gave out, for comparison with what was counted. */
export type ShopFigures = {
  orders: number
  /** Events that Kafka has not acknowledged. */
  waiting: { topic: string; events: number }[]
  /** Events that Kafka refuses. */
  setAside: { topic: string; events: number }[]
  /** Each incarnation's last number, oldest incarnation first, and which of its numbers are not acknowledged: they wait, or are set aside. */
  sources: {
    topic: string
    partition: number
    source: string
    last: number
    waiting: number[]
  }[]
}

/**
 * Reads the shop's database in `<dataDir>/shop`, whether the shop runs or not: one state, of one moment.
 *
 * @throws StartError when there is none.
 */
export function readShop(dataDir: string): ShopFigures {
  const database = openExisting(join(dataDir, 'shop'), { readonly: true })
  try {
    return database.transaction((tx) => {
      const events = count()
      const perTopic = (table: typeof outbox | typeof outboxSetAside) =>
        tx.select({ topic: table.topic, events }).from(table).groupBy(table.topic).all()
      const numbersOf = (table: typeof outbox | typeof outboxSetAside) =>
        tx.select(numberOf(table)).from(table).where(isNotNull(table.source)).all()
      const numbered = Map.groupBy([...numbersOf(outbox), ...numbersOf(outboxSetAside)], placeOf)
      const sequences = tx.select().from(outboxSequences).orderBy(asc(outboxSequences.id)).all()
      return {
        orders: tx.select({ rows: count() }).from(orders).get()?.rows ?? 0,
        waiting: perTopic(outbox),
        setAside: perTopic(outboxSetAside),
        sources: sequences.map((row) => ({
          topic: row.topic,
          partition: row.partition,
          source: row.source,
          last: row.sequence,
          waiting: (numbered.get(placeOf(row)) ?? [])
            .map(({ sequence }) => sequence ?? 0)
            .sort((a, b) => a - b),
        })),
      }
    })
  } finally {
    database.$client.close()
  }
}

function numberOf({ topic, partition, source, sequence }: typeof outbox | typeof outboxSetAside) {
  return { topic, partition, source, sequence }
}

function placeOf(row: { topic: string; partition: number | null; source: string | null }): string {
  return JSON.stringify([row.topic, row.partition, row.source])
}
