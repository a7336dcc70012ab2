import type { LogBatch } from '../bridge/reference-fold.ts'
import type { Random } from './random.ts'
import { type Log, split } from './topic.ts'

export type Fetched = {
  batches: LogBatch[]
  /** The next offset to read behind them. */
  to: number
}

/**
 * What a fetch at `position` may bring: some batches, the first of them perhaps long applied, cut differently than
 * before, with or without the empty offsets behind them. Undefined: there is nothing to read.
 */
export function fetch(random: Random, log: Log, position: number): Fetched | undefined {
  if (position >= log.next) return undefined
  const from = Math.max(position, log.low)
  const kept = log.batches.filter(({ last }) => last >= log.low)
  const first = kept.findIndex(({ last }) => last >= from)
  if (first < 0) return { batches: [], to: log.next }
  const end = first + random.between(1, 4)
  const batches = kept.slice(Math.max(0, first - random.between(0, 2)), end)
  const behind = kept[end]?.first ?? log.next
  const at = random.between(0, batches.length - 1)
  const pieces = random.chance(0.3)
    ? batches.toSpliced(at, 1, ...split(random, batches[at]!))
    : batches
  if (pieces.length > batches.length && pieces.at(-2)!.last >= from && random.chance(0.5))
    pieces.pop()
  const last = pieces.at(-1)!.last
  return {
    batches: pieces,
    to: last < batches.at(-1)!.last || random.chance(0.5) ? last + 1 : behind,
  }
}
