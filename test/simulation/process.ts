import { join } from 'node:path'
import pino from 'pino'
import {
  advance,
  createFold,
  type Delta,
  type PartitionState,
} from '../../services/bridge/fold/index.ts'
import { Progress } from '../../services/bridge/intake/index.ts'
import {
  createPublisher,
  type Publisher,
  retainedFromMs,
} from '../../services/bridge/rollup/index.ts'
import {
  type CommitResult,
  openSqliteStore,
  type Store,
} from '../../services/bridge/store/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'
import { encodeLogBatch } from '../bridge/random-log.ts'
import type { LogBatch } from '../bridge/reference-fold.ts'
import { Crashes, crashingStore, withFiles } from './crashes.ts'
import type { Log, Topic } from './topic.ts'

const orders = streams.find(({ name }) => name === 'orders')!
const fold = createFold(orders)
const MINUTE_MS = 60_000

/** A fetch that was folded, and may be committed now, later, or twice. */
export type Attempt = {
  log: Log
  delta: Delta
  /** The state that it was folded onto. */
  state: PartitionState
  /** What was below this was gone. */
  low: number
  nowMs: number
}

/** One bridge process without its Kafka: what it knows is gone when it crashes, but for its folder. */
export class BridgeProcess {
  readonly crashes = new Crashes()
  /** Without crash points: what anybody sees of it. */
  readonly store: Store
  /** What went wrong while publishing. */
  readonly errors: string[] = []
  readonly #crashing: Store
  readonly #states = new Map<number, PartitionState>()
  readonly #progress = new Progress()
  readonly #publisher: Publisher

  constructor(folder: string) {
    this.store = openSqliteStore(join(folder, 'bridge'))
    this.#crashing = crashingStore(this.store, this.crashes)
    const logger = pino({ level: 'error' }, { write: (line) => void this.errors.push(line) })
    this.#publisher = createPublisher(this.#crashing, join(folder, 'lake'), logger, () => {})
  }

  async start(nowMs: number) {
    await this.store.addStream(orders.name, nowMs - (nowMs % MINUTE_MS), retainedFromMs(nowMs))
  }

  /** Whether it reads this incarnation of the partition. */
  reads({ partition, incarnation }: Log): boolean {
    return this.#states.get(partition)?.incarnation === incarnation
  }

  /** Takes its place in a partition from the store, where it is written down first if it is new. */
  async place({ partition, incarnation, low }: Log, nowMs: number) {
    const { topic, name: stream } = orders
    let state = await this.store.partition(topic, partition)
    if (state?.incarnation !== incarnation) {
      const start = { topic, partition, incarnation, stream, start: low }
      state = (await this.#crashing.begin([start]))[0]!
    }
    this.#states.set(partition, state)
    this.#progress.moved(partition, state.position, -1, nowMs)
  }

  /** The next offset to read. */
  position({ partition }: Log): number {
    return this.#states.get(partition)!.position
  }

  /** Folds what a fetch brought: `batches`, with everything below `to`. */
  fold(log: Log, batches: LogBatch[], to: number, nowMs: number): Attempt {
    const state = this.#states.get(log.partition)!
    const skipped = Math.max(0, log.low - state.position)
    const delta = fold.run(state, batches.map(encodeLogBatch), to, skipped, nowMs)
    return { log, delta, state, low: log.low, nowMs }
  }

  /** Commits, and goes on from there. Where another was faster, the partition has to be placed anew. */
  async commit({ log, delta, state }: Attempt, nowMs: number): Promise<CommitResult> {
    const result = await this.#crashing.commit(delta)
    if (result === 'stale') this.#states.delete(log.partition)
    else {
      this.#states.set(log.partition, advance(state, delta))
      this.#progress.moved(log.partition, delta.to, delta.maxTimeMs, nowMs)
    }
    return result
  }

  /** The last minute that can be closed, with the ends of the topic read now; -1: none. */
  closableMs({ logs }: Topic, nowMs: number): number {
    const bounds = logs.map(({ partition, low, next }) => ({ partition, low, high: next }))
    this.#progress.ends(bounds, nowMs)
    return this.#progress.closableMinuteMs()
  }

  /** Closes minutes and writes the files of all days that changed. */
  async publish(closableMs: number, nowMs: number) {
    await withFiles(this.crashes, () => this.#publisher.publish(orders, closableMs, nowMs))
  }
}
