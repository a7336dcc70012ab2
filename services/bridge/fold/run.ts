import {
  ABSENT,
  type createDecoder,
  expectedRecords,
  INVALID,
  type RecordBatch,
  RecordReader,
  Rejection,
} from '../codec/index.ts'
import type { StreamDefinition } from '../streams/index.ts'
import type { DeadLetter, Delta, Fingerprint, PartitionState } from './delta.ts'
import { fingerprintOf, letterOf, letterOfRest } from './letter.ts'
import { judgeNumber, Sequences } from './sequence.ts'
import { countedOf, type Layout, Sums } from './sums.ts'
import { NO_TIME, timeOf } from './time.ts'

/** Dead letters that one delta carries; the others of a hopeless run are counted, and counted as evicted. */
const MAX_DEAD_LETTERS = 1_000
/** What one delta takes: more would keep the process from its heartbeats, and its memory from being bounded. */
const MAX_RECORDS = 50_000
export const MAX_MINUTES = 1_000

export type RunOptions = {
  stream: StreamDefinition
  layout: Layout
  decode: ReturnType<typeof createDecoder>
  state: PartitionState
  skipped: number
  nowMs: number
  /** Where the timestamps of accepted records go; grown as needed. */
  timestamps: Float64Array<ArrayBuffer>
}

/** One pass over a run of batches: everything that changes is a field here, and ends up in the delta. */
export class Run {
  accepted = 0
  /** Of the accepted records; grows as they come, because a batch's header may promise any number. */
  timestamps: Float64Array<ArrayBuffer>
  /** The next offset to read: what is below has been applied, before this run or in it. */
  #next: number
  #rejected = 0
  #duplicate = 0
  #reasons: Delta['rejected'] = {}
  #deadLetters: DeadLetter[] = []
  #evicted = 0
  #maxTimeMs = -1
  #previousTimeMs: number
  #fingerprint: Fingerprint | undefined
  #sums: Sums
  #sequences: Sequences
  #stream: StreamDefinition
  #layout: Layout
  #decode: ReturnType<typeof createDecoder>
  #state: PartitionState
  #skipped: number
  #nowMs: number

  constructor({ stream, layout, decode, state, skipped, nowMs, timestamps }: RunOptions) {
    this.#stream = stream
    this.#layout = layout
    this.#decode = decode
    this.#state = state
    this.#skipped = skipped
    this.#nowMs = nowMs
    this.timestamps = timestamps
    this.#sums = new Sums(layout)
    this.#sequences = new Sequences(skipped > 0 ? new Map() : state.sources)
    this.#previousTimeMs = state.previousTimeMs
    this.#fingerprint = state.fingerprint
    this.#next = state.position + skipped
  }

  /** Returns the offset before which it ended, when it was too much for one delta. */
  batches(batches: readonly RecordBatch[]): number | undefined {
    for (const batch of batches) {
      this.#batch(batch)
      if (this.#full()) return this.#next
    }
    return undefined
  }

  #full(): boolean {
    const records = this.accepted + this.#rejected + this.#duplicate
    return records >= MAX_RECORDS || this.#sums.events.length >= MAX_MINUTES
  }

  #batch(batch: RecordBatch) {
    const first = this.#next
    if (batch.lastOffset < first) return
    let reader: RecordReader
    try {
      reader = new RecordReader(batch)
    } catch (error) {
      this.#undecodable(batch, batch.baseOffset, expectedRecords(batch), error as Error)
      this.#next = batch.lastOffset + 1
      return
    }
    let next = batch.lastOffset + 1
    while (this.#step(batch, reader)) {
      if (reader.offset < first) continue
      this.#record(reader)
      if (!this.#full()) continue
      if (reader.remaining > 0) next = reader.offset + 1
      break
    }
    if (reader.offset >= first) this.#fingerprint = fingerprintOf(reader)
    this.#next = next
  }

  /** Moves to the next record; where the bytes are none, the rest of the batch is set aside. */
  #step(batch: RecordBatch, reader: RecordReader): boolean {
    try {
      return reader.next()
    } catch (error) {
      const first = Math.max(batch.baseOffset, reader.offset + 1)
      this.#undecodable(batch, first, reader.remaining, error as Error)
      return false
    }
  }

  #record(reader: RecordReader) {
    const verdict = judgeNumber(this.#sequences, reader)
    if (verdict === 'duplicate') return void this.#duplicate++
    if (verdict instanceof Rejection) return this.#reject(reader, verdict)
    const ownTimeMs = timeOf(reader)
    if (ownTimeMs === INVALID) return this.#reject(reader, NO_TIME)
    const timeMs = ownTimeMs === ABSENT ? this.#previousTimeMs : ownTimeMs
    const event = this.#decode(reader.bytes, reader.valueStart, reader.valueEnd)
    if (event instanceof Rejection) return this.#reject(reader, event)
    this.#layout.add(this.#sums, this.#sums.baseOf(timeMs), event)
    this.#sums.countEvent()
    if (this.accepted === this.timestamps.length) this.#growTimestamps()
    this.timestamps[this.accepted++] = reader.timestampMs
    this.#previousTimeMs = timeMs
    if (timeMs > this.#maxTimeMs && timeMs <= this.#nowMs) this.#maxTimeMs = timeMs
  }

  #growTimestamps() {
    const grown = new Float64Array(this.timestamps.length * 2)
    grown.set(this.timestamps)
    this.timestamps = grown
  }

  #reject(reader: RecordReader, rejection: Rejection) {
    this.#bury(rejection.reason, 1, () => letterOf(reader, rejection))
  }

  /** The rest of a batch, from offset `first`, that cannot be read as records. */
  #undecodable(batch: RecordBatch, first: number, records: number, error: Error) {
    const offset = Math.max(first, this.#next)
    const count = Math.min(records, batch.lastOffset - offset + 1)
    if (count <= 0) return
    this.#bury('undecodable', count, () => letterOfRest(batch, offset, count, error))
  }

  #bury(reason: DeadLetter['reason'], records: number, letter: () => DeadLetter) {
    this.#rejected += records
    this.#reasons[reason] = (this.#reasons[reason] ?? 0) + records
    if (this.#deadLetters.length < MAX_DEAD_LETTERS) this.#deadLetters.push(letter())
    else this.#evicted++
  }

  finish(to: number): Delta {
    const { lost, losses, recovered } = this.#sequences
    const read = this.accepted + this.#rejected + this.#duplicate
    const { topic, partition, incarnation, position } = this.#state
    return {
      key: { topic, partition, incarnation },
      stream: this.#stream.name,
      from: position,
      to,
      fingerprint: this.#fingerprint,
      previousTimeMs: this.#previousTimeMs,
      maxTimeMs: this.#maxTimeMs,
      counts: {
        accepted: this.accepted,
        rejected: this.#rejected,
        duplicate: this.#duplicate,
        undelivered: to - position - read - this.#skipped,
        skipped: this.#skipped,
        lost,
        recovered,
      },
      rejected: this.#reasons,
      ...countedOf(this.#sums, this.#layout, this.#nowMs),
      deadLetters: this.#deadLetters,
      evicted: this.#evicted,
      losses,
      sources: this.#sequences.changed(),
      forgetSources: this.#skipped > 0,
    }
  }
}
