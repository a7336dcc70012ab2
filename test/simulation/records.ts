import { FLAWS } from '../bridge/random-log.ts'
import type { LogRecord, Order } from '../bridge/reference-fold.ts'
import type { Random } from './random.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** Older days are sealed (promise 5). */
const RETENTION_DAYS = 400

type Producer = { source: string; next: number; missing: number[] }

/** Makes the records of one partition: some numbered, in order or not, on time or not, and some that are none. */
export class Records {
  readonly #random: Random
  readonly #producers: Producer[] = []

  constructor(random: Random) {
    this.#random = random
  }

  make(offset: number, nowMs: number): LogRecord {
    const random = this.#random
    return {
      offset,
      order: random.chance(0.12) ? random.pick(FLAWS) : this.#order(),
      timestampMs: random.chance(0.1) ? -1 : this.#time(nowMs),
      headerTime: random.chance(0.6) ? undefined : random.chance(0.1) ? 'bad' : this.#time(nowMs),
      number: random.chance(0.3) ? undefined : this.#number(),
    }
  }

  #order(): Order {
    const random = this.#random
    const price = random.chance(0.1) ? 1e12 - random.between(0, 9) : random.between(0, 1_000)
    return { amount: random.between(1, 9), price, paid: random.chance(0.5) }
  }

  /** Mostly of the last minutes; some late, some too late, some to come. */
  #time(nowMs: number): number {
    const random = this.#random
    const kind = random.weighted({ now: 30, late: 6, old: 3, ancient: 1, future: 2 })
    if (kind === 'now') return nowMs - random.between(0, 3 * MINUTE_MS)
    if (kind === 'late') return nowMs - random.between(0, 90 * MINUTE_MS)
    if (kind === 'future') return nowMs + random.between(0, 20 * MINUTE_MS)
    if (kind === 'ancient') return random.between(0, nowMs)
    // About where days are sealed.
    const days = random.pick([1, 2, RETENTION_DAYS - 2, RETENTION_DAYS - 1, RETENTION_DAYS])
    return nowMs - days * DAY_MS - random.between(0, 3) * MINUTE_MS
  }

  #number(): LogRecord['number'] {
    const random = this.#random
    if (this.#producers.length === 0 || random.chance(0.05)) return this.#newProducer()
    const producer = random.pick(this.#producers)
    const { source, next } = producer
    const kind = random.weighted({ next: 70, again: 15, jump: 8, fill: 10, nonsense: 3 })
    let sequence = next
    if (kind === 'again') sequence = random.between(1, next)
    else if (kind === 'fill') sequence = producer.missing.pop() ?? next
    else if (kind === 'nonsense') sequence = random.pick([0, -1, next + 2_000_000, 2 ** 53 - 1])
    else if (kind === 'jump') {
      for (let skipped = random.between(1, 5); skipped > 0; skipped--)
        producer.missing.push(sequence++)
    }
    if (kind !== 'nonsense') producer.next = Math.max(next, sequence + 1)
    return { source, sequence, previous: undefined }
  }

  /** Its first record may name the producer before it, and a last number of that which never came. */
  #newProducer(): LogRecord['number'] {
    const random = this.#random
    const before = this.#producers.at(-1)
    const sequence = random.chance(0.8) ? 1 : random.between(2, 5)
    const missing = Array.from({ length: sequence - 1 }, (_, i) => i + 1)
    const producer = { source: `p${this.#producers.length}`, next: sequence + 1, missing }
    this.#producers.push(producer)
    const last = before && before.next - 1 + random.between(0, 3)
    const named = random.weighted({ before: 8, none: 2, stranger: 1, nonsense: 1 })
    const previous = {
      before: before && `${before.source}:${last}`,
      none: undefined,
      stranger: 'z:7',
      nonsense: 'p0',
    }
    return { source: producer.source, sequence, previous: previous[named] }
  }
}
