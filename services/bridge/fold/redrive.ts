import { ABSENT, INVALID, type RecordBatch, RecordReader, Rejection } from '../codec/index.ts'
import type { DeadLetter, PartitionState, Redrive } from './delta.ts'
import { hashOfBatch, hashOfRecord } from './letter.ts'
import { MAX_MINUTES, type RunOptions } from './run.ts'
import { judgeNumber, nextSources, Sequences } from './sequence.ts'
import { countedOf, Sums } from './sums.ts'
import { NO_TIME, timeOf } from './time.ts'

/** The letter is not counted now, and why. */
export type Stays = { stays: string }

export type RedriveOptions = Pick<
  RunOptions,
  'stream' | 'layout' | 'decode' | 'state' | 'nowMs'
> & {
  letter: Pick<DeadLetter, 'offset' | 'records' | 'reason' | 'hash'>
  /** The batch that holds the letter's offset, read again. */
  batch: RecordBatch
}

const CHANGED = 'the record at its offset is another than the one that was set aside'
const TIME_UNKNOWN = new Rejection(
  'time',
  'it has no time of its own, and that of the event before it is not known any more',
)
const TOO_MANY_MINUTES = `its records lie in more than ${MAX_MINUTES} minutes, which is too much for one change`

/**
 * Judges a dead letter by the definition of now. The number of a single record was judged at first reading and is not
 * judged again; the numbers of a batch that could not be read then are, and all its records must be valid now.
 */
export function redrive({ letter, batch, ...options }: RedriveOptions): Redrive | Stays {
  if (letter.reason === 'sequence') {
    return { stays: 'its number is no number that could follow, and no definition mends that' }
  }
  const isBatch = letter.reason === 'undecodable'
  if (isBatch && hashOfBatch(batch) !== letter.hash) return { stays: CHANGED }
  const again = new Again(options)
  try {
    const reader = new RecordReader(batch)
    while (reader.next()) {
      if (reader.offset < letter.offset) continue
      if (isBatch) again.numbered(reader)
      else if (reader.offset !== letter.offset || hashOfRecord(reader) !== letter.hash) break
      else again.record(reader)
      if (!isBatch || again.against) break
    }
  } catch (error) {
    return { stays: `undecodable: ${(error as Error).message}` }
  }
  return again.finish(letter.records)
}

/** One pass over what a letter stands for. */
class Again {
  /** The first thing that speaks against one of its records. */
  against: string | undefined
  #records = 0
  #duplicates = 0
  readonly #options: Omit<RedriveOptions, 'letter' | 'batch'>
  readonly #sums: Sums
  readonly #sequences: Sequences

  constructor(options: Omit<RedriveOptions, 'letter' | 'batch'>) {
    this.#options = options
    this.#sums = new Sums(options.layout)
    this.#sequences = new Sequences(options.state.sources)
  }

  numbered(reader: RecordReader) {
    const verdict = judgeNumber(this.#sequences, reader)
    if (verdict === 'duplicate') this.#duplicates++
    else if (verdict) this.#reject(reader, verdict)
    else this.record(reader)
  }

  record(reader: RecordReader) {
    const { layout, decode } = this.#options
    const timeMs = timeOf(reader)
    if (timeMs === INVALID) return this.#reject(reader, NO_TIME)
    if (timeMs === ABSENT) return this.#reject(reader, TIME_UNKNOWN)
    const event = decode(reader.bytes, reader.valueStart, reader.valueEnd)
    if (event instanceof Rejection) return this.#reject(reader, event)
    layout.add(this.#sums, this.#sums.baseOf(timeMs), event)
    this.#sums.countEvent()
    this.#records++
    if (this.#sums.events.length > MAX_MINUTES) this.against = TOO_MANY_MINUTES
  }

  #reject({ offset }: RecordReader, { reason, detail }: Rejection) {
    this.against = `offset ${offset}: ${reason}: ${detail}`
  }

  /** @param expected how many records the letter was counted as. */
  finish(expected: number): Redrive | Stays {
    if (this.against) return { stays: this.against }
    const found = this.#records + this.#duplicates
    if (found === 0 || found > expected) return { stays: CHANGED }
    const { state, stream, layout, nowMs } = this.#options
    const { topic, partition, incarnation, position } = state
    return {
      key: { topic, partition, incarnation },
      stream: stream.name,
      at: position,
      records: this.#records,
      duplicates: this.#duplicates,
      lost: this.#sequences.lost,
      recovered: this.#sequences.recovered,
      ...countedOf(this.#sums, layout, nowMs),
      sources: this.#sequences.changed(),
    }
  }
}

/** The state after that was applied. */
export function afterRedrive(state: PartitionState, { sources }: Redrive): PartitionState {
  return { ...state, sources: nextSources(state.sources, { sources, forgetSources: false }) }
}
