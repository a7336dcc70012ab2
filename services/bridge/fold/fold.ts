import { createHash } from 'node:crypto'
import { HEADERS } from '../../kafka/headers.ts'
import {
  ABSENT,
  createDecoder,
  expectedRecords,
  INVALID,
  MAX_SOURCE_BYTES,
  MAX_TIMESTAMP_MS,
  type RecordBatch,
  RecordReader,
  Rejection,
} from '../codec/index.ts'
import type { StreamDefinition } from '../streams/index.ts'
import type { DeadLetter, Delta, Fingerprint, PartitionState } from './delta.ts'
import { Sequences } from './sequence.ts'
import { createLayout, type Layout, Sums } from './sums.ts'

/** Of a dead letter's key and value. */
const KEPT_BYTES = 1024
/** Dead letters that one delta carries; the others of a hopeless run are counted, and counted as evicted. */
const MAX_DEAD_LETTERS = 1_000

export type Fold = {
  stream: StreamDefinition
  layout: Layout
  /**
   * Folds a run of batches of one partition, in order, into a delta. Records below the position are passed
   * over. `to` is the next offset to read behind the run; `skipped` says how many of the offsets at its start
   * are gone from Kafka; `nowMs` is the clock's. Pure: the same arguments give the same delta.
   */
  run(
    state: PartitionState,
    batches: readonly RecordBatch[],
    to: number,
    skipped: number,
    nowMs: number,
  ): Delta
  /** Timestamps (ms, -1: none) of the records that the last `run` accepted; valid until the next. */
  acceptedTimestamps(): Float64Array
}

export function createFold(stream: StreamDefinition): Fold {
  const layout = createLayout(stream)
  const decode = createDecoder(stream)
  let timestamps = new Float64Array(1024)
  let accepted = 0
  return {
    stream,
    layout,
    run: (state, batches, to, skipped, nowMs) => {
      const run = new Run(stream, layout, decode, state, skipped, nowMs, timestamps)
      for (const batch of batches) run.batch(batch)
      accepted = run.accepted
      timestamps = run.timestamps
      return run.finish(Math.max(to, state.position))
    },
    acceptedTimestamps: () => timestamps.subarray(0, accepted),
  }
}

/** The state after a delta was committed. */
export function advance(state: PartitionState, delta: Delta): PartitionState {
  const sources = new Map(delta.forgetSources ? [] : state.sources)
  for (const { source, state } of delta.sources) sources.set(source, state)
  return {
    ...delta.key,
    position: delta.to,
    fingerprint: delta.fingerprint,
    previousTimeMs: delta.previousTimeMs,
    sources,
  }
}

/** Recognises a record: by its time, key and value. */
export function fingerprintOf(reader: RecordReader): Fingerprint {
  const hash = createHash('sha256').update(`${reader.timestampMs}\n`)
  hash.update(key(reader) ?? 'null').update('\n')
  return { offset: reader.offset, hash: hash.update(value(reader) ?? 'null').digest('hex') }
}

/** One pass over a run of batches: everything that changes is a field here, and ends up in the delta. */
class Run {
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

  constructor(
    stream: StreamDefinition,
    layout: Layout,
    decode: ReturnType<typeof createDecoder>,
    state: PartitionState,
    skipped: number,
    nowMs: number,
    timestamps: Float64Array<ArrayBuffer>,
  ) {
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

  batch(batch: RecordBatch) {
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
    while (this.#step(batch, reader)) if (reader.offset >= first) this.#record(reader)
    if (reader.offset >= first) this.#fingerprint = fingerprintOf(reader)
    this.#next = batch.lastOffset + 1
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
    if (reader.source !== undefined && reader.sequence !== ABSENT) {
      const { source, sequence, previous, offset } = reader
      if (source.length === 0 || source.length > MAX_SOURCE_BYTES) {
        const detail = `the header ${HEADERS.source} is not 1 to ${MAX_SOURCE_BYTES} characters`
        return this.#reject(reader, new Rejection('sequence', detail))
      }
      const verdict = this.#sequences.judge(source, sequence, previous, offset)
      if (verdict === 'duplicate') return void this.#duplicate++
      if (verdict === 'invalid') {
        const detail = `the header ${HEADERS.sequence} is no number that can follow for source ${source}`
        return this.#reject(reader, new Rejection('sequence', detail))
      }
    }
    const timeMs = this.#timeOf(reader)
    if (timeMs < 0) {
      const detail = `the header ${HEADERS.time} is not a number of milliseconds since 1970`
      return this.#reject(reader, new Rejection('time', detail))
    }
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

  /** When it happened, in ms: the header's, the record's, or the previous event's; negative when the header is no time. */
  #timeOf(reader: RecordReader): number {
    if (reader.timeMs === ABSENT) {
      return reader.timestampMs >= 0 ? reader.timestampMs : this.#previousTimeMs
    }
    return reader.timeMs <= MAX_TIMESTAMP_MS ? reader.timeMs : INVALID
  }

  #reject(reader: RecordReader, { reason, detail }: Rejection) {
    const valueBytes = value(reader)
    this.#bury(reason, 1, () => ({
      offset: reader.offset,
      records: 1,
      reason,
      detail,
      timestampMs: reader.timestampMs,
      key: kept(key(reader)),
      value: kept(valueBytes),
      valueBytes: valueBytes?.length ?? 0,
      hash: hashOf(key(reader), valueBytes),
    }))
  }

  /** The rest of a batch, from offset `first`, that cannot be read as records. */
  #undecodable(batch: RecordBatch, first: number, records: number, error: Error) {
    const offset = Math.max(first, this.#next)
    const count = Math.min(records, batch.lastOffset - offset + 1)
    if (count <= 0) return
    this.#bury('undecodable', count, () => ({
      offset,
      records: count,
      reason: 'undecodable',
      detail: `${error.message}; ${count} records up to offset ${batch.lastOffset} cannot be read`,
      timestampMs: batch.baseTimestampMs,
      key: null,
      value: kept(batch.bytes),
      valueBytes: batch.bytes.length,
      hash: hashOf(null, batch.bytes),
    }))
  }

  #bury(reason: DeadLetter['reason'], records: number, letter: () => DeadLetter) {
    this.#rejected += records
    this.#reasons[reason] = (this.#reasons[reason] ?? 0) + records
    if (this.#deadLetters.length < MAX_DEAD_LETTERS) this.#deadLetters.push(letter())
    else this.#evicted++
  }

  finish(to: number): Delta {
    const { lost, recovered } = this.#sequences
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
      ...this.#counted(),
      deadLetters: this.#deadLetters,
      evicted: this.#evicted,
      sources: this.#sequences.changed(),
      forgetSources: this.#skipped > 0,
    }
  }

  #counted(): Pick<Delta, 'series' | 'minutes' | 'future'> {
    const minutes = this.#sums.minutes().map(([minuteMs, row]) => ({
      minuteMs,
      events: this.#sums.events[row]!,
      columns: this.#sums.columns(this.#layout, row),
    }))
    const future = minutes.reduce(
      (sum, { minuteMs, events }) => (minuteMs > this.#nowMs ? sum + events : sum),
      0,
    )
    return { series: this.#sums.series(this.#layout), minutes, future }
  }
}

function key({ bytes, keyStart, keyEnd }: RecordReader): Buffer | null {
  return keyStart < 0 ? null : bytes.subarray(keyStart, keyEnd)
}

function value({ bytes, valueStart, valueEnd }: RecordReader): Buffer | null {
  return valueStart < 0 ? null : bytes.subarray(valueStart, valueEnd)
}

/** A copy, so that the whole batch is not kept in memory for it. */
function kept(bytes: Buffer | null): Buffer | null {
  return bytes && Buffer.from(bytes.subarray(0, KEPT_BYTES))
}

function hashOf(key: Buffer | null, value: Buffer | null): string {
  return createHash('sha256')
    .update(key ?? '')
    .update('\n')
    .update(value ?? '')
    .digest('hex')
}
