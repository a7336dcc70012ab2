import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Logger } from '../../runtime/logger.ts'
import { advance, type Delta, type Fold, type PartitionState } from '../fold/index.ts'
import type {
  Bounds,
  Cluster,
  Fetched,
  Receiver,
  Source,
  TopicBounds,
  TopicPartition,
} from '../source/index.ts'
import type { Store } from '../store/index.ts'
import { Complaints, Outage } from './outage.ts'
import { report } from './report.ts'
import { isSameLog } from './same-log.ts'
import { decideOther, decideStart, type StartDecision } from './start.ts'

const RETRY_MS = 1_000
/** A log that seems shorter than what was counted is believed after this long. */
const DOUBT_MS = 10_000

export type IntakeOptions = {
  store: Store
  cluster: Cluster
  /** By topic. */
  folds: Map<string, Fold>
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
  /** Since when (ms) a partition's log seems shorter than what was counted of it. */
  readonly #doubts = new Map<string, number>()
  readonly #complaints: Complaints
  readonly #store: Outage
  #unassignedSinceMs: number | undefined
  #source: Source | undefined
  /** Everything happens one after the other: an assignment, a fetch, the end of a partition. */
  #queue: Promise<void> = Promise.resolve()
  #assignment = 0
  #stopping = false

  constructor(options: IntakeOptions) {
    this.#options = options
    this.#unassignedSinceMs = options.now()
    this.#complaints = new Complaints(
      options.logger,
      'the topic cannot be counted now; trying again',
    )
    this.#store = new Outage(options.logger, {
      began: 'the store cannot be written; counting waits until it can',
      over: 'the store can be written again',
    })
  }

  /** Since when (ms) the store cannot be written, and why; undefined when it can. */
  get unwritable(): Outage['current'] {
    return this.#store.current
  }

  /** Since when (ms) no partition is ours and placed; undefined when one is. */
  get unassignedSinceMs(): number | undefined {
    return this.#unassignedSinceMs
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
      this.#unassignedSinceMs ??= this.#options.now()
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
    })
  }

  /** What cannot be counted now is put aside and tried again, without holding up the others. */
  fetched(fetched: Fetched): Promise<void> {
    const assignment = this.#assignment
    return this.#inTurn(async () => {
      const held = this.#held.get(key(fetched))
      if (!held) return
      const { topic, partition } = fetched
      try {
        await this.#take(held, fetched)
      } catch (error) {
        this.#source?.pause([{ topic, partition }])
        this.#placeLater(topic, [partition], assignment, error as Error)
      }
    })
  }

  /**
   * Lets `work` change a partition in turn with the reading of it: `work` gets the state and gives the one from then on.
   * False, and `work` not called: the partition is not ours now, or not known yet to be the log that was counted.
   */
  async change(
    of: TopicPartition,
    work: (state: PartitionState, fold: Fold) => Promise<PartitionState>,
  ): Promise<boolean> {
    let isChanged = false
    await this.#inTurn(async () => {
      const held = this.#held.get(key(of))
      if (!held || (held.verifying && held.state.topicId === undefined)) return
      held.state = await work(held.state, this.#options.folds.get(of.topic)!)
      isChanged = true
    })
    return isChanged
  }

  /** Takes nothing more; resolves when what is under way is committed. */
  async stop() {
    this.#stopping = true
    await this.#queue.catch(() => {})
  }

  /**
   * Compares with a reading of the topic. What was kept shorter than our position is passed over, also where no
   * record comes to show it; a topic with another id is placed anew.
   */
  look(topic: string, bounds: TopicBounds): Promise<void> {
    return this.#inTurn(() =>
      this.#compare(topic, bounds).catch((error: Error) => this.#tell(topic, error)),
    )
  }

  async #compare(topic: string, { topicId, partitions }: TopicBounds) {
    const held = partitions.flatMap((bounds) => {
      const found = this.#held.get(key({ topic, partition: bounds.partition }))
      return found ? [{ found, bounds }] : []
    })
    const another = held.some(
      ({ found }) => topicId && found.state.topicId && found.state.topicId !== topicId,
    )
    if (another) {
      return this.#place(
        topic,
        held.map(({ bounds }) => bounds.partition),
      )
    }
    for (const { found, bounds } of held) await this.#passOver(found, bounds)
  }

  /** Where records are left, the next fetch shows the gap. */
  async #passOver(held: Held, { low, high }: Bounds) {
    const { position } = held.state
    if (low < high || position >= low) return
    await this.#commit(held, [], low, low - position)
    this.#source?.seek(held.state, low)
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#queue.then(() => (this.#stopping ? undefined : work()))
    this.#queue = turn.catch(() => {})
    return turn
  }

  /** A topic whose ends cannot be read now is tried again, without holding up the others. */
  async #placeUntilDone(topic: string, partitions: number[], assignment: number) {
    if (assignment !== this.#assignment || this.#stopping) return
    try {
      await this.#place(topic, partitions)
    } catch (error) {
      this.#placeLater(topic, partitions, assignment, error as Error)
    }
  }

  #placeLater(topic: string, partitions: number[], assignment: number, error: Error) {
    this.#tell(topic, error)
    setTimeout(() => {
      void this.#inTurn(() => this.#placeUntilDone(topic, partitions, assignment))
    }, RETRY_MS).unref()
  }

  /** What the store cannot write is said of the store. */
  #tell(topic: string, error: Error) {
    if (!this.#stopping && !this.#store.current) this.#complaints.tell(topic, error)
  }

  async #write<T>(writing: Promise<T>): Promise<T> {
    try {
      const result = await writing
      this.#store.worked(this.#options.now())
      return result
    } catch (error) {
      this.#store.failed(error as Error, this.#options.now())
      throw error
    }
  }

  /** Finds or makes the position of each partition, and lets the source read from there. */
  async #place(topic: string, partitions: number[]) {
    const { store, cluster } = this.#options
    const { topicId, partitions: bounds } = await cluster.bounds(topic)
    const stored = await Promise.all(
      partitions.map((partition) => store.partition(topic, partition)),
    )
    const decisions = partitions.map((partition, i) => {
      const found = bounds.find((candidate) => candidate.partition === partition)
      if (!found) throw new Error(`Kafka does not tell where partition ${partition} ends`)
      const decision = decideStart(stored[i], found, topicId)
      this.#confirm({ topic, partition }, decision)
      return decision
    })
    await this.#start(topic, topicId, partitions, stored, decisions)
  }

  /** Holds back a decision in doubt until it has stood for a while. @throws Error until then. */
  #confirm(partition: TopicPartition, { doubtful, reason }: StartDecision) {
    const since = this.#doubts.get(key(partition))
    const nowMs = this.#options.now()
    if (!doubtful) this.#doubts.delete(key(partition))
    else if (since === undefined) this.#doubts.set(key(partition), nowMs)
    if (doubtful && nowMs - (since ?? nowMs) < DOUBT_MS) {
      throw new Error(`${key(partition)}: ${reason}; waiting whether it stays so`)
    }
  }

  async #start(
    topic: string,
    topicId: string | undefined,
    partitions: number[],
    stored: (PartitionState | undefined)[],
    decisions: StartDecision[],
  ) {
    const { store, folds, logger } = this.#options
    const stream = folds.get(topic)!.stream.name
    const starts = decisions.flatMap(({ begin }, i) =>
      begin ? [{ topic, partition: partitions[i]!, stream, topicId, ...begin }] : [],
    )
    const begun = starts.length > 0 ? await this.#write(store.begin(starts)) : []
    for (const [i, { begin, seek, verify, reason }] of decisions.entries()) {
      const partition = partitions[i]!
      const state = begin ? begun.find((made) => made.partition === partition) : stored[i]
      if (reason) logger.warn({ topic, partition, offset: seek }, reason)
      this.#held.set(key({ topic, partition }), { state: state!, verifying: verify })
      this.#options.onPlaced(state!)
      this.#source?.seek({ topic, partition }, seek)
      this.#source?.resume([{ topic, partition }])
    }
    this.#complaints.over(topic)
    this.#unassignedSinceMs = undefined
  }

  async #take(held: Held, fetched: Fetched) {
    const { state } = held
    const { topic, partition, position } = state
    const { askedOffset, firstOffset, nextOffset } = fetched
    const expected = held.verifying ? state.fingerprint!.offset : position
    // kafkajs went back by itself (the offset it had asked for does not exist any more), or this is of an earlier placing.
    if (askedOffset < expected || (held.verifying && askedOffset !== expected)) {
      return this.#place(topic, [partition])
    }
    if (held.verifying) {
      if (!isSameLog(state, fetched)) return this.#startOver(state)
      held.verifying = false
      // The last record counted lies further back than one fetch reaches.
      if (nextOffset < position) return this.#source?.seek(state, position)
    }
    const reachedFrom = Math.max(askedOffset, firstOffset)
    let skipped = 0
    if (reachedFrom > position) {
      const { partitions } = await this.#options.cluster.bounds(topic)
      const low = partitions.find((bounds) => bounds.partition === partition)?.low ?? 0
      if (askedOffset > Math.max(low, position)) return this.#place(topic, [partition])
      skipped = Math.max(0, Math.min(low, reachedFrom) - position)
    }
    await this.#commit(held, fetched.batches, nextOffset, skipped)
  }

  async #commit(held: Held, batches: Fetched['batches'], to: number, skipped: number) {
    const { store, folds, now, onCommit, logger } = this.#options
    const { topic, partition } = held.state
    const fold = folds.get(topic)!
    for (let gone = skipped; held.state.position < to; gone = 0) {
      const delta = fold.run(held.state, batches, to, gone, now())
      const started = performance.now()
      const result = await this.#write(store.commit(delta))
      if (result === 'stale') {
        logger.warn({ topic, partition, position: delta.from }, 'the position was moved elsewhere')
        return this.#place(topic, [partition])
      }
      held.state = advance(held.state, delta)
      onCommit(delta, fold.acceptedTimestamps(), (performance.now() - started) / 1_000)
      report(delta, logger)
      // A run that is cut into several deltas leaves room for scrapes and heartbeats between them.
      if (delta.to < to) await nextTurn()
      if (this.#stopping) return
    }
  }

  /** The record before our position is another than the one that was counted. */
  async #startOver(state: PartitionState) {
    const { topic, partition } = state
    const { topicId, partitions } = await this.#options.cluster.bounds(topic)
    const low = partitions.find((bounds) => bounds.partition === partition)?.low ?? 0
    const decision = decideOther(state, low, topicId)
    await this.#start(topic, topicId, [partition], [state], [decision])
  }
}

function key({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`
}
