import type { LogBatch, Order } from '../bridge/reference-fold.ts'
import { ReferenceFold } from '../bridge/reference-fold.ts'

/**
 * A plain reading of what a stream's partitions, days and files should be, over the reference fold. It shares no
 * code with services/bridge, and decides neither what is read when nor when minutes close: it is told.
 */

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const HEADER =
  'datetime,total_orders_num,total_orders_amount,total_orders_price,total_paid_orders_num,total_paid_orders_amount,Total_paid_orders_price'
const NOTHING = [0n, 0n, 0n, 0n, 0n, 0n]

export class ReferenceStream {
  /** By partition and incarnation: `0/1`. */
  readonly folds = new Map<string, ReferenceFold>()
  /** The columns of each minute that is not sealed. */
  readonly minutes = new Map<number, bigint[]>()
  baseline = NOTHING
  late = 0
  tooLate = 0
  closedMs = -1
  sealedBeforeMs: number
  readonly #firstMinuteMs: number
  /** As they were when their day was sealed, by day. */
  readonly #sealedFiles = new Map<number, string>()

  constructor(firstMinuteMs: number, sealedBeforeMs: number) {
    this.#firstMinuteMs = firstMinuteMs
    this.sealedBeforeMs = sealedBeforeMs
  }

  /** A partition, or a new incarnation of it, is read from `start` on. */
  begin(key: string, start: number) {
    this.folds.set(key, new ReferenceFold(0, start, (minute, order) => this.#count(minute, order)))
  }

  /** The log was read up to `to`, when what was below `low` was gone and the clock stood at `nowMs`. */
  read(key: string, log: LogBatch[], to: number, low: number, nowMs: number) {
    this.folds.get(key)!.readTo(log, to, low, nowMs)
  }

  #count(minuteMs: number, { amount, price, paid }: Order) {
    const all = [1n, BigInt(amount), BigInt(price)]
    const columns = [...all, ...all.map((value) => (paid ? value : 0n))]
    if (minuteMs < this.sealedBeforeMs) {
      this.tooLate++
      this.baseline = sum(this.baseline, columns)
      return
    }
    if (minuteMs <= this.closedMs) this.late++
    this.minutes.set(minuteMs, sum(this.minutes.get(minuteMs) ?? NOTHING, columns))
  }

  /** The days before are sealed: their files stay as they are. */
  seal(beforeMs: number) {
    for (const [dayMs, csv] of this.#openFiles())
      if (dayMs < beforeMs) this.#sealedFiles.set(dayMs, csv)
    for (const [minuteMs, columns] of this.minutes) {
      if (minuteMs >= beforeMs) continue
      this.baseline = sum(this.baseline, columns)
      this.minutes.delete(minuteMs)
    }
    this.sealedBeforeMs = beforeMs
  }

  /** The contents of all files, by day (ms). */
  files(): Map<number, string> {
    return new Map([...this.#sealedFiles, ...this.#openFiles()])
  }

  #openFiles(): Map<number, string> {
    const shown = new Set([...this.minutes.keys()].filter((minuteMs) => minuteMs <= this.closedMs))
    const zerosFrom = Math.max(this.#firstMinuteMs, this.sealedBeforeMs)
    for (let at = zerosFrom; at <= this.closedMs; at += MINUTE_MS) shown.add(at)
    const sorted = [...shown].sort((a, b) => a - b)
    const days = Map.groupBy(sorted, (minuteMs) => Math.floor(minuteMs / DAY_MS) * DAY_MS)
    return new Map([...days].map(([dayMs, minutes]) => [dayMs, this.#csv(minutes)]))
  }

  #csv(minutes: number[]): string {
    const lines = minutes.map((minuteMs) => {
      const datetime = new Date(minuteMs).toISOString().replace('T', ' ').replace('.000Z', '')
      return `${datetime},${(this.minutes.get(minuteMs) ?? NOTHING).join(',')}\n`
    })
    return `${HEADER}\n${lines.join('')}`
  }
}

function sum(a: bigint[], b: bigint[]): bigint[] {
  return a.map((value, i) => value + b[i]!)
}
