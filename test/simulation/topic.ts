import type { LogBatch } from '../bridge/reference-fold.ts'
import type { Random } from './random.ts'
import { Records } from './records.ts'

const MAX_PARTITIONS = 4

/** One partition of one incarnation of the topic, as Kafka holds it. */
export type Log = {
  partition: number
  incarnation: number
  /** Where reading of it starts. */
  start: number
  batches: LogBatch[]
  /** What is below is gone. */
  low: number
  /** The offset that the next record gets. */
  next: number
  records: Records
}

/** A topic that is written to, loses its beginning, and may be deleted and made anew. */
export class Topic {
  readonly #random: Random
  incarnation = 0
  /** Of the current incarnation, by partition. */
  logs: Log[] = []

  constructor(random: Random, partitions: number) {
    this.#random = random
    this.recreate(partitions)
  }

  recreate(partitions: number) {
    this.incarnation++
    this.logs = Array.from({ length: partitions }, (_, partition) => this.#newLog(partition))
  }

  addPartition() {
    if (this.logs.length < MAX_PARTITIONS) this.logs.push(this.#newLog(this.logs.length))
  }

  #newLog(partition: number): Log {
    const start = this.#random.chance(0.2) ? this.#random.between(1, 50) : 0
    const { incarnation } = this
    const records = new Records(this.#random)
    return { partition, incarnation, start, batches: [], low: start, next: start, records }
  }

  /** Appends some batches, with holes among their offsets as transactions and compaction leave them. */
  append(log: Log, nowMs: number) {
    const random = this.#random
    for (let batches = random.between(1, 3); batches > 0; batches--) {
      const first = log.next
      const damaged = random.chance(0.06)
      const holes = () => (!damaged && random.chance(0.15) ? random.between(1, 3) : 0)
      const records = Array.from({ length: random.between(1, 6) }, () => {
        const record = log.records.make(log.next + holes(), nowMs)
        log.next = record.offset + 1
        return record
      })
      log.next += holes()
      log.batches.push({ first, last: log.next - 1, damaged, records })
      if (random.chance(0.15)) log.next += random.between(1, 3)
    }
  }

  /** Retention takes a beginning, which may end amid a batch. */
  truncate(log: Log) {
    log.low = this.#random.between(log.low, log.next)
  }
}

/** The batch as two, or as one where it cannot be split: a log may come in other pieces than before. */
export function split(random: Random, batch: LogBatch): LogBatch[] {
  const { first, last, damaged, records } = batch
  if (damaged || records.length < 2) return [batch]
  const at = random.between(1, records.length - 1)
  const border = records[at]!.offset
  return [
    { first, last: border - 1, damaged, records: records.slice(0, at) },
    { first: border, last, damaged, records: records.slice(at) },
  ]
}
