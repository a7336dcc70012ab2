/**
 * A plain reading of the promises, to compare the fold with: one record after the other, Maps, sets and bigints,
 * sharing no code with services/bridge.
 */

export type Order = { amount: number; price: number; paid: boolean }
/** What is wrong with a value that is no order: the reason it is rejected for. */
export type Flaw = 'json' | 'tombstone' | 'empty' | 'encoding' | 'schema' | 'range'

export type LogRecord = {
  offset: number
  order: Order | Flaw
  /** -1: none. */
  timestampMs: number
  headerTime: number | 'bad' | undefined
  number: { source: string; sequence: number; previous: string | undefined } | undefined
}

export type LogBatch = { first: number; last: number; damaged: boolean; records: LogRecord[] }

/** Offsets `from` up to, not including, `to` that were gone before they were read. */
export type Hole = { from: number; to: number }

/** Told of each event as it is counted. */
export type OnEvent = (minuteMs: number, order: Order) => void

const MAX_JUMP = 1_000_000
const MINUTE_MS = 60_000
const HOLDERS = ['orders', 'units', 'value'] as const

export class ReferenceFold {
  readonly start: number
  position: number
  accepted = 0
  rejected = 0
  duplicate = 0
  lost = 0
  recovered = 0
  skipped = 0
  future = 0
  latestMs = -1
  /** `orders prepaid` and so on. */
  totals = new Map<string, bigint>()
  /** `<minute> <column>` */
  minutes = new Map<string, bigint>()
  reasons = new Map<string, number>()
  last = new Map<string, number>()
  missing = new Map<string, Set<number>>()
  #previousMs = 0
  #nowMs: number
  #onEvent: OnEvent

  constructor(nowMs: number, start = 0, onEvent: OnEvent = () => {}) {
    this.#nowMs = nowMs
    this.start = start
    this.position = start
    this.#onEvent = onEvent
  }

  /** Reads the log to its end; what is in the hole was gone when reading came to it. */
  read(log: LogBatch[], hole?: Hole) {
    const end = log.at(-1)!.last + 1
    if (hole) this.readTo(log, hole.from, 0, this.#nowMs)
    this.readTo(log, end, hole?.to ?? 0, this.#nowMs)
  }

  /** Reads on up to, not including, offset `to`, with the clock at `nowMs`; what is below offset `low` is gone. */
  readTo(log: LogBatch[], to: number, low: number, nowMs: number) {
    this.#nowMs = nowMs
    if (low > this.position) {
      this.skipped += low - this.position
      this.position = low
      this.last.clear()
      this.missing.clear()
    }
    for (const { damaged, records } of log) {
      const left = records.filter(({ offset }) => offset >= this.position && offset < to)
      if (damaged) this.#reject('undecodable', left.length)
      else for (const record of left) this.#record(record)
    }
    this.position = to
  }

  #record(record: LogRecord) {
    const verdict = this.#number(record)
    if (verdict === 'duplicate') this.duplicate++
    else if (verdict === 'invalid') this.#reject('sequence')
    else if (record.headerTime === 'bad') this.#reject('time')
    else if (typeof record.order === 'string') this.#reject(record.order)
    else this.#count(record, record.order)
  }

  #count(record: LogRecord, order: Order) {
    const ownMs = record.timestampMs >= 0 ? record.timestampMs : this.#previousMs
    const timeMs = typeof record.headerTime === 'number' ? record.headerTime : ownMs
    this.accepted++
    this.#previousMs = timeMs
    const minute = Math.floor(timeMs / MINUTE_MS) * MINUTE_MS
    if (minute > this.#nowMs) this.future++
    if (timeMs <= this.#nowMs) this.latestMs = Math.max(this.latestMs, timeMs)
    this.#onEvent(minute, order)
    const amounts = { orders: 1n, units: BigInt(order.amount), value: BigInt(order.price) }
    for (const name of HOLDERS) {
      plus(this.totals, `${name} ${order.paid ? 'prepaid' : 'credit'}`, amounts[name])
      plus(this.minutes, `${minute} ${name}`, amounts[name])
      if (order.paid) plus(this.minutes, `${minute} paid ${name}`, amounts[name])
    }
  }

  #number({ number }: LogRecord): 'new' | 'duplicate' | 'invalid' {
    if (!number) return 'new'
    const { source, sequence, previous } = number
    if (!Number.isSafeInteger(sequence) || sequence < 1) return 'invalid'
    const last = this.last.get(source)
    if (last === undefined) {
      if (previous && this.#seam(previous) && sequence > 1 && sequence <= MAX_JUMP)
        this.#lose(source, 1, sequence - 1)
      this.last.set(source, sequence)
      return 'new'
    }
    if (sequence > last + MAX_JUMP) return 'invalid'
    if (sequence > last) {
      this.#lose(source, last + 1, sequence - 1)
      this.last.set(source, sequence)
      return 'new'
    }
    if (!this.missing.get(source)?.delete(sequence)) return 'duplicate'
    this.recovered++
    return 'new'
  }

  /** Whether the predecessor is known. */
  #seam(previous: string): boolean {
    const [source = '', text] = previous.split(':')
    const last = this.last.get(source)
    const to = Number(text)
    if (last === undefined || !Number.isSafeInteger(to)) return false
    if (to <= last || to > last + MAX_JUMP) return true
    this.#lose(source, last + 1, to)
    this.last.set(source, to)
    return true
  }

  #lose(source: string, from: number, to: number) {
    const missing = this.missing.get(source) ?? new Set()
    for (let sequence = from; sequence <= to; sequence++) missing.add(sequence)
    this.missing.set(source, missing)
    this.lost += to - from + 1
  }

  #reject(reason: string, records = 1) {
    if (records === 0) return
    this.rejected += records
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + records)
  }
}

/** Adds to a sum, which is not kept while it is 0. */
export function plus(sums: Map<string, bigint>, name: string, value: bigint) {
  const sum = (sums.get(name) ?? 0n) + value
  if (sum !== 0n) sums.set(name, sum)
}
