import { and, asc, desc, eq, gt, inArray, notExists, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/sqlite-core'
import {
  type Counts,
  type Delta,
  type Gap,
  MAX_SOURCES,
  type PartitionKey,
  type PartitionState,
  type Redrive,
} from '../fold/index.ts'
import { type BridgeDatabase, countRows } from './database.ts'
import type { PartitionStart } from './port.ts'
import { partitions, sources } from './schema.ts'

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
      topicId: row.topicId ?? undefined,
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

  function begin(begun: PartitionStart): PartitionState {
    database
      .insert(partitions)
      .values({ ...begun, topicId: begun.topicId ?? null, position: begun.start })
      .onConflictDoNothing()
      .run()
    return read(begun.topic, begun.partition)!
  }

  const { placeholder } = sql
  // Prepared once: these run for every fetch.
  const add = (count: keyof Counts) => sql`${partitions[count]} + ${placeholder(count)}`
  // A topic that was made anew has a row of its own; what is still read of the one before counts no more.
  const newer = alias(partitions, 'newer')
  const newerIncarnation = database
    .select({ incarnation: newer.incarnation })
    .from(newer)
    .where(
      and(
        eq(newer.topic, placeholder('topic')),
        eq(newer.partition, placeholder('partition')),
        gt(newer.incarnation, placeholder('incarnation')),
      ),
    )
  const moveRow = database
    .update(partitions)
    .set({
      position: sql`${placeholder('to')}`,
      accepted: add('accepted'),
      rejected: add('rejected'),
      duplicate: add('duplicate'),
      undelivered: add('undelivered'),
      skipped: add('skipped'),
      lost: add('lost'),
      recovered: add('recovered'),
      fingerprintOffset: sql`${placeholder('fingerprintOffset')}`,
      fingerprintHash: sql`${placeholder('fingerprintHash')}`,
      previousTimeMs: sql`${placeholder('previousTimeMs')}`,
      maxTimeMs: sql`max(${partitions.maxTimeMs}, ${placeholder('maxTimeMs')})`,
    })
    .where(
      and(
        eq(partitions.topic, placeholder('topic')),
        eq(partitions.partition, placeholder('partition')),
        eq(partitions.incarnation, placeholder('incarnation')),
        eq(partitions.position, placeholder('from')),
        notExists(newerIncarnation),
      ),
    )
    .prepare()
  const saveSource = database
    .insert(sources)
    .values({
      topic: placeholder('topic'),
      partition: placeholder('partition'),
      incarnation: placeholder('incarnation'),
      source: placeholder('source'),
      last: placeholder('last'),
      gaps: placeholder('gaps'),
      seen: placeholder('seen'),
    })
    .onConflictDoUpdate({
      target: [sources.topic, sources.partition, sources.incarnation, sources.source],
      set: {
        last: sql`excluded.last`,
        gaps: sql`excluded.gaps`,
        seen: sql`excluded.seen`,
      },
    })
    .prepare()

  /** Compare-and-set of the position, with all that is counted beside it. False: it stands elsewhere. */
  function move(delta: Delta): boolean {
    const { key, from, to, fingerprint, previousTimeMs, maxTimeMs } = delta
    const result = moveRow.run({
      ...key,
      ...delta.counts,
      from,
      to,
      fingerprintOffset: fingerprint?.offset ?? null,
      fingerprintHash: fingerprint?.hash ?? null,
      previousTimeMs,
      maxTimeMs,
    })
    if (result.changes !== 1) return false
    if (delta.forgetSources) database.delete(sources).where(of(sources, key)).run()
    saveSources(key, delta.sources)
    return true
  }

  /** Counts what was redriven of a partition, as long as it stands at the position that this was judged at. */
  function redrive({ key, at, records, lost, recovered, sources }: Redrive): boolean {
    if (read(key.topic, key.partition)?.incarnation !== key.incarnation) return false
    const result = database
      .update(partitions)
      .set({
        redriven: sql`${partitions.redriven} + ${records}`,
        lost: sql`${partitions.lost} + ${lost}`,
        recovered: sql`${partitions.recovered} + ${recovered}`,
      })
      .where(and(of(partitions, key), eq(partitions.position, at)))
      .run()
    if (result.changes !== 1) return false
    saveSources(key, sources)
    return true
  }

  function saveSources(key: PartitionKey, changed: Delta['sources']) {
    for (const { source, state } of changed) {
      saveSource.run({ ...key, source, ...state, gaps: JSON.stringify(state.gaps) })
    }
    if (changed.length > 0) forgetSilentSources(key)
  }

  function forgetSilentSources(key: PartitionKey) {
    const excess = countRows(database, sources, of(sources, key)) - MAX_SOURCES
    if (excess <= 0) return
    const silent = database
      .select({ source: sources.source })
      .from(sources)
      .where(of(sources, key))
      .orderBy(asc(sources.seen))
      .limit(excess)
    database
      .delete(sources)
      .where(and(of(sources, key), inArray(sources.source, silent)))
      .run()
  }

  return { read, begin, move, redrive }
}
