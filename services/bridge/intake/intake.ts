import type { Logger } from '../../runtime/logger.ts'
import { RecordReader } from '../codec/index.ts'
import {
  advance,
  type Delta,
  type Fold,
  fingerprintOf,
  type PartitionState,
} from '../fold/index.ts'
import type { Bounds, Cluster, Fetched, Receiver, Source, TopicPartition } from '../source/index.ts'
import type { Store } from '../store/index.ts'
import { decideStart } from './start.ts'

const RETRY_MS = 1_000

export type IntakeOptions = {
  store: Store
  cluster: Cluster
  /** By topic. */
  folds: Map<string, Fold>
  /** Where partitions start that exist when the store is new; those that appear later start at the earliest. */
  startFrom: 'earliest' | 'latest'
  now(): number
  logger: Logger
  /** A partition stands at its position, before anything of it is read. */
  onPlaced(state: PartitionState): void
  /** After each commit: what it changed, the timestamps (ms, -1: none) of the events it counted, and how long the transaction took. */
  onCommit(delta: Delta, timestamps: Float64Array, commitSeconds: number): void
}

type Held = {
  state: PartitionState
  /** The first fetch starts at the fingerprint's record, to see that this is still the same log. */
  verifying: boolean
}

/** Between source and store: places each partition at its own position, folds what comes and commits it. */
export class Intake implements Receiver {
  readonly #options: IntakeOptions
  readonly #held = new Map<string, Held>()
  #source: Source | undefined
  /** Everything happens one after the other: an assignment, a fetch, the end of a partition. */
  #queue: Promise<void> = Promise.resolve()
  #assignment = 0
  #startFrom: 'earliest' | 'latest'
  #stopping = false

  constructor(options: IntakeOptions) {
    this.#options = options
    this.#startFrom = options.startFrom
  }

  /** The source that calls this; set before it reads. */
  connect(source: Source) {
    this.#source = source
  }

  /** Partitions that are ours and placed. */
  positions(): (TopicPartition & { position: number })[] {
    return [...this.#held.values()].map(({ state: { topic, partition, position } }) => ({
      topic,
      partition,
      position,
    }))
  }

  assigned(partitions: TopicPartition[]): Promise<void> {
    const assignment = ++this.#assignment
    return this.#inTurn(async () => {
      this.#held.clear()
      const topics = Map.groupBy(partitions, ({ topic }) => topic)
      await Promise.all(
        [...topics].map(([topic, list]) =>
          this.#placeUntilDone(
            topic,
            list.map(({ partition }) => partition),
            assignment,
          ),
        ),
      )
      this.#startFrom = 'earliest'
    })
  }

  /** A topic whose ends cannot be read now is tried again, without holding up the others. */
  async #placeUntilDone(topic: string, partitions: number[], assignment: number) {
    if (assignment !== this.#assignment || this.#stopping) return
    try {
      await this.#place(topic, partitions)
    } catch (error) {
      this.#options.logger.warn({ err: error, topic }, 'cannot place the partitions yet')
      setTimeout(() => {
        void this.#inTurn(() => this.#placeUntilDone(topic, partitions, assignment))
      }, RETRY_MS).unref()
    }
  }

  fetched(fetched: Fetched): Promise<void> {
    return this.#inTurn(async () => {
      const held = this.#held.get(key(fetched))
      if (held) await this.#take(held, fetched)
    })
  }

  /** Takes nothing more; resolves when what is under way is committed. */
  async stop() {
    this.#stopping = true
    await this.#queue.catch(() => {})
  }

  /** Reads `bounds` of a topic: what was kept shorter than our position is passed over, also where no record comes to show it. */
  passOver(topic: string, bounds: Bounds[]): Promise<void> {
    return this.#inTurn(async () => {
      for (const { partition, low, high } of bounds) {
        const held = this.#held.get(key({ topic, partition }))
        // Where records are left, the next fetch shows the gap.
        if (!held || low < high || held.state.position >= low) continue
        await this.#commit(held, [], low, low - held.state.position)
        this.#source?.seek({ topic, partition }, low)
      }
    })
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#queue.then(() => (this.#stopping ? undefined : work()))
    this.#queue = turn.catch(() => {})
    return turn
  }

  /** Finds or makes the position of each partition, and lets the source read from there. */
  async #place(topic: string, partitions: number[]) {
    const { store, cluster, folds } = this.#options
    const stream = folds.get(topic)!.stream.name
    const bounds = (await cluster.bounds(topic)).filter((b) => partitions.includes(b.partition))
    const stored = await Promise.all(bounds.map((b) => store.partition(topic, b.partition)))
    const decisions = bounds.map((b, i) => decideStart(stored[i], b, this.#startFrom))
    const begun = decisions.flatMap((decision, i) =>
      decision.begin ? [{ topic, partition: bounds[i]!.partition, stream, ...decision.begin }] : [],
    )
    const states = await store.begin(begun)
    for (const [i, { partition }] of bounds.entries()) {
      const { begin, seek, verify, reason } = decisions[i]!
      const state = stored[i] && !begin ? stored[i] : states.find((s) => s.partition === partition)!
      if (reason) this.#options.logger.warn({ topic, partition, offset: seek }, reason)
      this.#hold(state, verify, seek)
    }
  }

  async #take(held: Held, fetched: Fetched) {
    const { state } = held
    const { askedOffset, firstOffset } = fetched
    const expected = held.verifying ? state.fingerprint!.offset : state.position
    // kafkajs went back by itself: the offset it had asked for does not exist (any more).
    if (askedOffset < expected) return this.#place(state.topic, [state.partition])
    if (held.verifying && !this.#isSameLog(state, fetched)) return this.#beginAgain(state)
    held.verifying = false
    let skipped = 0
    if (Math.max(askedOffset, firstOffset) > state.position) {
      const bounds = await this.#options.cluster.bounds(state.topic)
      const low = bounds.find(({ partition }) => partition === state.partition)?.low ?? 0
      if (askedOffset > Math.max(low, state.position)) {
        return this.#place(state.topic, [state.partition])
      }
      skipped = Math.max(0, Math.min(low, fetched.nextOffset) - state.position)
    }
    await this.#commit(held, fetched.batches, fetched.nextOffset, skipped)
  }

  async #commit(held: Held, batches: Fetched['batches'], to: number, skipped: number) {
    const { store, folds, now, onCommit, logger } = this.#options
    const { topic, partition } = held.state
    const fold = folds.get(topic)!
    const delta = fold.run(held.state, batches, to, skipped, now())
    if (delta.to === delta.from) return
    const started = performance.now()
    const result = await store.commit(delta)
    if (result === 'stale') {
      logger.warn({ topic, partition, position: delta.from }, 'the position was moved elsewhere')
      return this.#place(topic, [partition])
    }
    held.state = advance(held.state, delta)
    onCommit(delta, fold.acceptedTimestamps(), (performance.now() - started) / 1_000)
    if (skipped > 0)
      logger.warn({ topic, partition, skipped }, 'offsets were gone before they were read')
    if (delta.counts.lost > 0)
      logger.warn({ topic, partition, lost: delta.counts.lost }, 'records are proven missing')
    for (const { offset, reason, detail } of delta.deadLetters.slice(0, 1)) {
      logger.warn(
        { rejected: delta.counts.rejected },
        `${topic}/${partition}@${offset}: ${reason}: ${detail}`,
      )
    }
  }

  /** Whether the record before our position is the one we know. A log without that record (compacted) passes. */
  #isSameLog({ fingerprint }: PartitionState, { batches }: Fetched): boolean {
    const { offset, hash } = fingerprint!
    const batch = batches.find(
      ({ baseOffset, lastOffset }) => baseOffset <= offset && offset <= lastOffset,
    )
    if (!batch) return true
    try {
      const reader = new RecordReader(batch)
      while (reader.next()) if (reader.offset === offset) return fingerprintOf(reader).hash === hash
    } catch {
      return false
    }
    return true
  }

  /** The topic was deleted and made anew: its records all count, from the first that is left. */
  async #beginAgain({ topic, partition, incarnation }: PartitionState) {
    const { store, cluster, folds, logger } = this.#options
    const bounds = await cluster.bounds(topic)
    const start = bounds.find((b) => b.partition === partition)?.low ?? 0
    const stream = folds.get(topic)!.stream.name
    const [state] = await store.begin([
      { topic, partition, incarnation: incarnation + 1, stream, start },
    ])
    logger.warn({ topic, partition, start }, 'the topic was made anew; reading it from its start')
    this.#hold(state!, false, start)
  }

  #hold(state: PartitionState, verifying: boolean, offset: number) {
    this.#held.set(key(state), { state, verifying })
    this.#options.onPlaced(state)
    this.#source?.seek(state, offset)
    this.#source?.resume([state])
  }
}

function key({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
