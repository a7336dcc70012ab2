import { and, desc, eq, sql } from 'drizzle-orm'
import type { Delta, Gap, PartitionKey, PartitionState } from '../fold/index.ts'
import { type BridgeDatabase, countRows } from './database.ts'
import { partitions, sources } from './schema.ts'

/** Sources remembered per partition: a producer makes one at each start. Beyond, the longest silent is forgotten. */
const MAX_SOURCES = 1_000

const of = (table: typeof partitions | typeof sources, key: PartitionKey) =>
  and(
    eq(table.topic, key.topic),
    eq(table.partition, key.partition),
    eq(table.incarnation, key.incarnation),
  )

/** Reads and moves positions. */
export function createPartitions(database: BridgeDatabase) {
  function read(topic: string, partition: number): PartitionState | undefined {
    const row = database
      .select()
      .from(partitions)
      .where(and(eq(partitions.topic, topic), eq(partitions.partition, partition)))
      .orderBy(desc(partitions.incarnation))
      .limit(1)
      .get()
    if (!row) return undefined
    const known = database.select().from(sources).where(of(sources, row)).all()
    const { incarnation, position, previousTimeMs, fingerprintOffset, fingerprintHash } = row
    return {
      topic,
      partition,
      incarnation,
      position,
      previousTimeMs,
      fingerprint:
        fingerprintOffset === null || fingerprintHash === null
          ? undefined
          : { offset: fingerprintOffset, hash: fingerprintHash },
      sources: new Map(
        known.map(({ source, last, gaps, seen }) => [
          source,
          { last, gaps: JSON.parse(gaps) as Gap[], seen },
        ]),
      ),
    }
  }

  function begin(begun: PartitionKey & { stream: string; start: number }): PartitionState {
    database
      .insert(partitions)
      .values({ ...begun, position: begun.start })
      .onConflictDoNothing()
      .run()
    return read(begun.topic, begun.partition)!
  }

  /** Compare-and-set of the position, with all that is counted beside it. False: it stands elsewhere. */
  function move(delta: Delta): boolean {
    const { counts, fingerprint } = delta
    const result = database
      .update(partitions)
      .set({
        position: delta.to,
        accepted: sql`${partitions.accepted} + ${counts.accepted}`,
        rejected: sql`${partitions.rejected} + ${counts.rejected}`,
        duplicate: sql`${partitions.duplicate} + ${counts.duplicate}`,
        undelivered: sql`${partitions.undelivered} + ${counts.undelivered}`,
        skipped: sql`${partitions.skipped} + ${counts.skipped}`,
        lost: sql`${partitions.lost} + ${counts.lost}`,
        recovered: sql`${partitions.recovered} + ${counts.recovered}`,
        fingerprintOffset: fingerprint?.offset ?? null,
        fingerprintHash: fingerprint?.hash ?? null,
        previousTimeMs: delta.previousTimeMs,
        maxTimeMs: sql`max(${partitions.maxTimeMs}, ${delta.maxTimeMs})`,
      })
      .where(and(of(partitions, delta.key), eq(partitions.position, delta.from)))
      .run()
    if (result.changes !== 1) return false
    if (delta.forgetSources) database.delete(sources).where(of(sources, delta.key)).run()
    for (const { source, state } of delta.sources) saveSource(delta.key, source, state)
    return true
  }

  function saveSource(
    key: PartitionKey,
    source: string,
    { last, gaps, seen }: { last: number; gaps: readonly Gap[]; seen: number },
  ) {
    const values = { last, gaps: JSON.stringify(gaps), seen }
    database
      .insert(sources)
      .values({
        topic: key.topic,
        partition: key.partition,
        incarnation: key.incarnation,
        source,
        ...values,
      })
      .onConflictDoUpdate({
        target: [sources.topic, sources.partition, sources.incarnation, sources.source],
        set: values,
      })
      .run()
    const count = countRows(database, sources, of(sources, key))
    if (count <= MAX_SOURCES) return
    database
      .delete(sources)
      .where(
        and(
          of(sources, key),
          sql`${sources.source} in (select source from ${sources} where ${of(sources, key)} order by seen limit ${count - MAX_SOURCES})`,
        ),
      )
      .run()
  }

  return { read, begin, move }
}
