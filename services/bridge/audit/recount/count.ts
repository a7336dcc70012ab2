import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { HEADERS } from '../../../kafka/headers.ts'
import type { StreamDefinition } from '../../streams/index.ts'
import type { Counts, Figures } from './figures.ts'
import type { PlainRecord } from './log.ts'
import { Numbers } from './numbers.ts'

const MINUTE_MS = 60_000
const MAX_SOURCE_CHARACTERS = 64
/** The end of the year 9999. */
const LAST_MS = Date.UTC(10_000, 0) - 1

/** Counts the records of one partition the plain way, one after the other. */
export class Recount {
  readonly counts: Counts
  /** As in `Figures`: what the records that were read add. */
  readonly series: Figures['series'] = new Map()
  readonly minutes: Figures['minutes'] = new Map()
  /** Rejected once and valid now: the definition was mended, and nobody drove them through again. */
  validNow = 0
  /** The record by which the log is known is another one. */
  isOtherLog = false
  readonly #stream: StreamDefinition
  readonly #now: Figures
  readonly #numbers: Numbers
  #previousMs: number

  /** @param base what was counted before, up to its position; @param now what the store says of the whole. */
  constructor(stream: StreamDefinition, base: Figures, now: Figures) {
    this.#stream = stream
    this.#now = now
    this.#numbers = new Numbers(structuredClone(base.sources))
    this.#previousMs = base.previousTimeMs
    this.counts = { accepted: 0, rejected: 0, duplicate: 0, lost: 0, recovered: 0, redriven: 0 }
  }

  add(record: PlainRecord) {
    this.#compareFingerprint(record)
    const verdict = this.#number(record)
    this.counts.lost = this.#numbers.lost
    this.counts.recovered = this.#numbers.recovered
    if (verdict === 'duplicate') {
      this.counts.duplicate += 1
      return
    }
    const timeMs = this.#timeOf(record)
    const event = timeMs === undefined ? undefined : this.#eventOf(record)
    const letter = this.#now.letters.get(record.offset)
    if (letter) {
      this.counts.rejected += 1
      if (letter.redriven) {
        this.counts.redriven += 1
        if (event) this.#count(event.value, timeMs!)
      } else if (event && verdict === 'new') this.validNow += 1
    } else if (verdict === 'invalid' || !event) {
      this.counts.rejected += 1
    } else {
      this.counts.accepted += 1
      this.#previousMs = timeMs!
      this.#count(event.value, timeMs!)
    }
  }

  #number(record: PlainRecord): 'new' | 'duplicate' | 'invalid' {
    const source = header(record, HEADERS.source)
    const number = header(record, HEADERS.sequence)
    if (source === undefined || number === undefined) return 'new'
    if (source.length < 1 || source.length > MAX_SOURCE_CHARACTERS) return 'invalid'
    const previous = header(record, HEADERS.previous)
    return this.#numbers.judge(source, wholeNumber(number), previous, record.offset)
  }

  /** Undefined: the producer says a time that is none. */
  #timeOf(record: PlainRecord): number | undefined {
    const told = header(record, HEADERS.time)
    if (told !== undefined) {
      const timeMs = wholeNumber(told)
      return timeMs <= LAST_MS ? timeMs : undefined
    }
    const stamp = stampOf(record)
    return stamp >= 0 ? stamp : this.#previousMs
  }

  /** Undefined: the value is no event of the stream. */
  #eventOf({ value }: PlainRecord): { value: unknown } | undefined {
    if (!value || !isUtf8(value)) return undefined
    try {
      const parsed: unknown = JSON.parse(value.toString())
      return this.#stream.schema.allows(parsed) ? { value: parsed } : undefined
    } catch {
      return undefined
    }
  }

  #count(event: unknown, timeMs: number) {
    const { labels, measures, columns } = this.#stream
    const minuteMs = Math.floor(timeMs / MINUTE_MS) * MINUTE_MS
    for (const measure of measures) {
      const value = BigInt(measure.value(event))
      const own = Object.fromEntries(measure.labels.map((name) => [name, labels[name]!.of(event)]))
      plus(this.series, `${measure.name} ${JSON.stringify(own)}`, value)
      for (const { name, measure: of, where = {} } of columns) {
        const fits = Object.entries(where).every(([label, wanted]) => own[label] === wanted)
        if (of === measure.name && fits) plus(this.minutes, `${minuteMs} ${name}`, value)
      }
    }
  }

  #compareFingerprint({ offset, key, value, ...record }: PlainRecord) {
    if (offset !== this.#now.fingerprint?.offset) return
    const hash = createHash('sha256').update(`${stampOf(record)}\n`)
    hash.update(key ?? 'null').update('\n')
    hash.update(value ?? 'null')
    this.isOtherLog = hash.digest('hex') !== this.#now.fingerprint.hash
  }
}

/** The record's timestamp; -1: none that can be. */
function stampOf({ timestampMs }: Pick<PlainRecord, 'timestampMs'>): number {
  return timestampMs >= 0 && timestampMs <= LAST_MS ? timestampMs : -1
}

/** The last header of that name which has a value. */
function header({ headers = {} }: PlainRecord, name: string): string | undefined {
  const values = [headers[name]].flat().filter((value) => value !== null && value !== undefined)
  return values.at(-1)?.toString('latin1' as never)
}

/** NaN: it is none, or above 2^53 - 1. */
function wholeNumber(text: string): number {
  const number = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(number) ? number : Number.NaN
}

function plus(sums: Map<string, bigint>, name: string, value: bigint) {
  const sum = (sums.get(name) ?? 0n) + value
  if (sum !== 0n) sums.set(name, sum)
}
