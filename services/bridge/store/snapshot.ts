import { statSync } from 'node:fs'
import { sql } from 'drizzle-orm'
import type { BridgeDatabase } from './database.ts'
import type { PartitionTotals, Snapshot } from './port.ts'
import { evictions, partitions, rejections, series, streamStates } from './schema.ts'

/** Reads everything a scrape shows. Must run in a transaction: one scrape is one moment. */
export function createSnapshots(database: BridgeDatabase): () => Snapshot {
  const readPartitions = database.select().from(partitions).prepare()
  const readSeries = database
    .select({
      measure: series.measure,
      labels: series.labels,
      value: sql<bigint>`sum(${series.value})`,
    })
    .from(series)
    .groupBy(series.measure, series.labels)
    .prepare()
  const readStreams = database.select().from(streamStates).prepare()
  const readRejections = database.select().from(rejections).prepare()
  const readEvictions = database.select().from(evictions).prepare()
  return () => ({
    partitions: merge(readPartitions.all()),
    rejected: readRejections.all(),
    evicted: readEvictions.all(),
    series: readSeries.all(),
    streams: readStreams.all(),
    bytes: bytesOf(database),
  })
}

/** One entry per topic and partition: counts over all incarnations, position of the latest. */
function merge(rows: (typeof partitions.$inferSelect)[]): PartitionTotals[] {
  const merged = new Map<string, PartitionTotals>()
  for (const row of rows.sort((a, b) => a.incarnation - b.incarnation)) {
    const key = `${row.topic}/${row.partition}`
    const sum = merged.get(key)
    merged.set(key, {
      topic: row.topic,
      partition: row.partition,
      incarnation: row.incarnation,
      stream: row.stream,
      position: row.position,
      maxTimeMs: row.maxTimeMs,
      accepted: row.accepted + (sum?.accepted ?? 0),
      rejected: row.rejected + (sum?.rejected ?? 0),
      duplicate: row.duplicate + (sum?.duplicate ?? 0),
      undelivered: row.undelivered + (sum?.undelivered ?? 0),
      skipped: row.skipped + (sum?.skipped ?? 0),
      lost: row.lost + (sum?.lost ?? 0),
      recovered: row.recovered + (sum?.recovered ?? 0),
      redriven: row.redriven + (sum?.redriven ?? 0),
    })
  }
  return [...merged.values()]
}

/** Of the database and its write-ahead log: what they take of the disk. */
function bytesOf(database: BridgeDatabase): number {
  const { name } = database.$client
  return sizeOf(name) + sizeOf(`${name}-wal`)
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
