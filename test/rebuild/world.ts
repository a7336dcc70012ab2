import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import pino from 'pino'
import { advance, createFold } from '../../services/bridge/fold/index.ts'
import {
  createCheckpoints,
  type RebuildOptions,
  type Report,
  rebuild,
} from '../../services/bridge/rebuild/index.ts'
import { createPublisher } from '../../services/bridge/rollup/index.ts'
import type { Reading, TopicBounds } from '../../services/bridge/source/index.ts'
import { openSqliteStore, type Store } from '../../services/bridge/store/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'
import { makeKnown } from '../../services/bridge/streams-known.ts'
import { encodeLogBatch, LOG_NOW_MS } from '../bridge/random-log.ts'
import type { LogBatch } from '../bridge/reference-fold.ts'
import { temporaryFolder } from '../harness/folder.ts'

export const TOPIC = 'new_orders'
const STREAM = streams.find(({ topic }) => topic === TOPIC)!
const TABLES = [
  ...['partitions', 'sources', 'series', 'minutes', 'baselines', 'streams', 'rejections'],
  ...['evictions', 'dead_letters', 'definitions', 'pending_days', 'late_minutes', 'revisions'],
]
const silent = pino({ level: 'silent' })

/** Each published file's text, and each day's revision, by path. */
export function publishedBy({ lake }: World): Record<string, unknown> {
  const files = globSync('csv/*/*/*.csv', { cwd: lake }).map((file) => [
    file,
    readFileSync(join(lake, file), 'utf8'),
  ])
  const manifests = globSync('manifests/*/*/*.json', { cwd: lake }).map((file) => [
    file,
    JSON.parse(readFileSync(join(lake, file), 'utf8')).revision,
  ])
  return Object.fromEntries([...files, ...manifests])
}

/** A bridge's data folder, and logs in memory instead of Kafka: one per partition of `new_orders`. */
export class World implements Disposable {
  readonly #folder: ReturnType<typeof temporaryFolder> | undefined
  readonly dataDir: string
  readonly folder: string
  readonly lake: string
  readonly #logs: LogBatch[][]
  /** By partition: what is before is gone. */
  readonly low: number[]
  topicId = 'ab'
  nowMs = LOG_NOW_MS
  batchesPerFetch = 2
  failures = 0

  /** In a folder of its own, unless told. */
  constructor(logs: LogBatch[][], dataDir?: string) {
    if (dataDir === undefined) this.#folder = temporaryFolder()
    this.dataDir = dataDir ?? this.#folder!.path
    this.folder = join(this.dataDir, 'bridge')
    this.lake = join(this.dataDir, 'lake')
    this.#logs = logs
    this.low = logs.map(() => 0)
  }

  end(partition: number): number {
    return this.#logs[partition]!.at(-1)!.last + 1
  }

  /** As a broker would answer. */
  read(partition: number, offset: number): Reading | undefined {
    const high = this.end(partition)
    const low = this.low[partition]!
    if (offset < low || offset > high) return undefined
    const found = this.#logs[partition]!.filter(({ last }) => last >= Math.max(offset, low))
    const batches = found.slice(0, this.batchesPerFetch).map(encodeLogBatch)
    return {
      ...{ batches, withheld: [], low, highWatermark: high, lastStableOffset: high },
      nextOffset: (batches.at(-1)?.lastOffset ?? offset - 1) + 1,
    }
  }

  logs(): Map<string, TopicBounds> {
    const partitions = this.#logs.map((_, partition) => ({
      ...{ partition, low: this.low[partition]!, high: this.end(partition) },
    }))
    return new Map([[TOPIC, { topicId: this.topicId, partitions }]])
  }

  /** Works on the store as a bridge does: it is opened, its streams are known and its partitions begun. */
  async bridge<T>(work: (store: Store) => Promise<T>): Promise<T> {
    const store = openSqliteStore(this.folder)
    try {
      await makeKnown(store, streams, this.nowMs)
      await store.begin(
        this.#logs.map((_, partition) => ({
          ...{ topic: TOPIC, partition, incarnation: 1, stream: STREAM.name, start: 0 },
          topicId: this.topicId,
        })),
      )
      return await work(store)
    } finally {
      await store.end()
    }
  }

  /** Counts `fetches` fetches of a partition; all that there is unless told. */
  async count(store: Store, partition: number, fetches = Number.POSITIVE_INFINITY) {
    let state = (await store.partition(TOPIC, partition))!
    for (let i = 0; i < fetches && state.position < this.end(partition); i++) {
      const { batches, nextOffset } = this.read(partition, state.position)!
      const delta = createFold(STREAM).run(state, batches, nextOffset, 0, this.nowMs)
      assert.equal(await store.commit(delta), 'committed')
      state = advance(state, delta)
    }
  }

  async publish(store: Store, closableMs: number) {
    const publisher = createPublisher(store, this.lake, silent, () => this.failures++)
    for (const stream of streams) await publisher.publish(stream, closableMs, this.nowMs)
  }

  async checkpoint(store: Store) {
    const never = new AbortController().signal
    const onError = () => this.failures++
    await createCheckpoints(store, this.folder, silent, onError, never).look(this.nowMs)
  }

  rebuild(options: Partial<RebuildOptions> = {}): Promise<Report> {
    return rebuild({
      ...{ folder: this.folder, lake: this.lake, streams, logs: this.logs() },
      reader: { read: async ({ partition }, offset) => this.read(partition, offset) },
      ...{ from: 'newest', acceptLoss: false, swap: false },
      now: () => this.nowMs,
      ...{ onProgress: () => {}, onCompared: () => {} },
      ...options,
    })
  }

  /** Every row of every table but the store's id and notes; dead letters in the order of the log. */
  dump(name = 'bridge.db'): Record<string, unknown[]> {
    const database = new Database(join(this.folder, name))
    try {
      const rows = (table: string) =>
        database
          .prepare(`select * from ${table}`)
          .safeIntegers()
          .all()
          .map((row) => text(table === 'dead_letters' ? { ...(row as object), id: 0 } : row))
          .sort()
      return Object.fromEntries(TABLES.map((table) => [table, rows(table)]))
    } finally {
      database.close()
    }
  }

  /** Changes the store behind its back. */
  sql(statement: string) {
    const database = new Database(join(this.folder, 'bridge.db'))
    database.exec(statement)
    database.close()
  }

  [Symbol.dispose]() {
    this.#folder?.[Symbol.dispose]()
  }
}

function text(row: unknown): string {
  return JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value))
}
