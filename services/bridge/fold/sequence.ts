import { HEADERS } from '../../kafka/headers.ts'
import { ABSENT, INVALID, MAX_SOURCE_BYTES, type RecordReader, Rejection } from '../codec/index.ts'
import type { Delta, Gap, Loss, PartitionState, SourceState } from './delta.ts'

/** A source's numbers may jump by this much at most; more is a number that cannot be right. */
const MAX_JUMP = 1_000_000
/** Open gaps kept per source; beyond, the oldest stays lost for good. */
const MAX_GAPS = 100
/** Losses named one by one in a delta. */
const MAX_LOSSES = 10

/** Sources remembered per partition: a producer makes one at each start. Beyond, the longest silent is forgotten. */
export const MAX_SOURCES = 1_000

export type SequenceVerdict = 'new' | 'duplicate' | 'invalid'

/** Follows the numbers of one partition's sources over a run of records, leaving the state it began with as it was. */
export class Sequences {
  lost = 0
  readonly losses: Loss[] = []
  recovered = 0
  readonly #before: PartitionState['sources']
  readonly #now = new Map<string, { -readonly [K in keyof SourceState]: SourceState[K] }>()
  #lastSource: string | undefined
  #lastState: { -readonly [K in keyof SourceState]: SourceState[K] } | undefined

  constructor(before: PartitionState['sources']) {
    this.#before = before
  }

  /** What a record's number says of it. A valid number is remembered, whatever the record's value is. */
  judge(
    source: string,
    sequence: number,
    previous: string | undefined,
    offset: number,
  ): SequenceVerdict {
    if (sequence === INVALID || sequence === 0) return 'invalid'
    const state = this.#open(source)
    if (!state) {
      this.#meet(source, sequence, previous, offset)
      return 'new'
    }
    if (sequence <= state.last) {
      if (!this.#fill(state, sequence)) return 'duplicate'
    } else if (sequence - state.last > MAX_JUMP) {
      return 'invalid'
    } else {
      if (sequence > state.last + 1) this.#lose(source, state, sequence - 1)
      state.last = sequence
    }
    // A record that is driven through again lies before others that were heard.
    state.seen = Math.max(state.seen, offset)
    return 'new'
  }

  /** The sources that were seen, as they are now. */
  changed(): Delta['sources'] {
    return [...this.#now].map(([source, state]) => ({ source, state }))
  }

  /** A source's state, as a copy that may change. */
  #open(source: string) {
    if (source === this.#lastSource && this.#lastState) return this.#lastState
    let state = this.#now.get(source)
    const before = this.#before.get(source)
    if (!state && before) {
      state = { ...before }
      this.#now.set(source, state)
    }
    this.#lastSource = source
    this.#lastState = state
    return state
  }

  /** The numbers behind the last one, up to `to`, are proven lost. */
  #lose(source: string, state: { last: number; gaps: readonly Gap[] }, to: number) {
    const from = state.last + 1
    this.lost += to - state.last
    if (this.losses.length < MAX_LOSSES) this.losses.push({ source, from, to })
    state.gaps = [...state.gaps, { from, to }].slice(-MAX_GAPS)
  }

  /**
   * An unknown source starts wherever it starts; but one that names a predecessor we know starts at 1, and what it
   * has sent before this record never came.
   */
  #meet(source: string, sequence: number, previous: string | undefined, offset: number) {
    const follows = previous !== undefined && this.#closeSeam(previous)
    const isWhole = follows && sequence <= MAX_JUMP
    const state = { last: isWhole ? 0 : sequence, gaps: [], seen: offset }
    if (isWhole && sequence > 1) this.#lose(source, state, sequence - 1)
    this.#now.set(source, { ...state, last: sequence })
  }

  /** Takes a loss back when the number is in an open gap. */
  #fill(state: { gaps: readonly Gap[] }, sequence: number): boolean {
    const gap = state.gaps.find(({ from, to }) => from <= sequence && sequence <= to)
    if (!gap) return false
    const parts = [
      { from: gap.from, to: sequence - 1 },
      { from: sequence + 1, to: gap.to },
    ].filter(({ from, to }) => from <= to)
    state.gaps = state.gaps.flatMap((other) => (other === gap ? parts : [other]))
    this.recovered += 1
    return true
  }

  /** A new source says how far the one before had come: what never came of that is lost. False: it names none we know. */
  #closeSeam(previous: string): boolean {
    const colon = previous.lastIndexOf(':')
    const last = Number(previous.slice(colon + 1))
    const source = previous.slice(0, colon)
    const state = this.#open(source)
    if (!state || !Number.isSafeInteger(last)) return false
    if (last <= state.last || last - state.last > MAX_JUMP) return true
    this.#lose(source, state, last)
    state.last = last
    return true
  }
}

/** What speaks against a record by its number; undefined: nothing, or it has none. */
export function judgeNumber(
  sequences: Sequences,
  { source, sequence, previous, offset }: RecordReader,
): Rejection | 'duplicate' | undefined {
  if (source === undefined || sequence === ABSENT) return undefined
  if (source.length === 0 || source.length > MAX_SOURCE_BYTES) {
    return new Rejection(
      'sequence',
      `the header ${HEADERS.source} is not 1 to ${MAX_SOURCE_BYTES} characters`,
    )
  }
  const verdict = sequences.judge(source, sequence, previous, offset)
  if (verdict === 'new' || verdict === 'duplicate') {
    return verdict === 'new' ? undefined : verdict
  }
  return new Rejection(
    'sequence',
    `the header ${HEADERS.sequence} is no number that can follow for source ${source}`,
  )
}

/** The sources of a partition after a delta. */
export function nextSources(
  before: PartitionState['sources'],
  { sources, forgetSources }: Pick<Delta, 'sources' | 'forgetSources'>,
): PartitionState['sources'] {
  if (sources.length === 0 && !forgetSources) return before
  const next = new Map(forgetSources ? [] : before)
  for (const { source, state } of sources) next.set(source, state)
  const excess = next.size - MAX_SOURCES
  if (excess <= 0) return next
  const silent = [...next].sort(([, a], [, b]) => a.seen - b.seen).slice(0, excess)
  for (const [source] of silent) next.delete(source)
  return next
}
