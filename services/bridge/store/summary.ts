import type Database from 'better-sqlite3'
import type { PartitionStart } from './port.ts'

/** Where `meta` keeps the store's id. */
export const STORE_ID = 'store_id'

/** How far a store was, and what it had counted: as plain JSON. */
export type Summary = {
  storeId: string
  /** Every incarnation of every partition. */
  partitions: (PartitionStart & { position: number })[]
  /** `<measure>{labels}` → the sum, in decimal. */
  totals: Record<string, string>
  /** Producer incarnations whose numbers are followed. */
  sources: number
  streams: { stream: string; firstMinuteMs: number; sealedBeforeMs: number }[]
}

/** Also of a store of an earlier schema: these columns have been there from the first. */
export function summarize(client: Database.Database): Summary {
  const read = <Row>(query: string) => client.prepare<[], Row>(query).safeIntegers(false).all()
  const totals = client
    .prepare<[], { name: string; value: bigint }>(
      'select measure || labels as name, sum(value) as value from series group by 1 order by 1',
    )
    .safeIntegers()
    .all()
  const id = client.prepare('select value from meta where name = ?').pluck().get(STORE_ID)
  const [sources] = read<{ count: number }>('select count(*) as count from sources')
  return {
    storeId: String(id),
    partitions: read<Omit<Summary['partitions'][0], 'topicId'> & { topicId: string | null }>(
      `select topic, "partition", incarnation, topic_id as topicId, stream, start, position
       from partitions order by topic, "partition", incarnation`,
    ).map(({ topicId, ...row }) => ({ ...row, ...(topicId !== null && { topicId }) })),
    totals: Object.fromEntries(totals.map(({ name, value }) => [name, String(value)])),
    sources: sources!.count,
    streams: read(
      `select stream, first_minute_ms as firstMinuteMs, sealed_before_ms as sealedBeforeMs
       from streams order by stream`,
    ),
  }
}
