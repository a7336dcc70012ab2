import type { Delta, PartitionState } from '../../services/bridge/fold/index.ts'

/** A partition that nothing has been read of, but for what is given. */
export function partitionState(given: Partial<PartitionState> = {}): PartitionState {
  return {
    topic: 'new_orders',
    partition: 0,
    incarnation: 1,
    position: 0,
    fingerprint: undefined,
    previousTimeMs: 0,
    sources: new Map(),
    ...given,
  }
}

/** to - from, and what the counts say became of these offsets: promise 3 says they are the same. */
export function accounting({ from, to, counts }: Delta) {
  const { accepted, rejected, duplicate, undelivered, skipped } = counts
  return { offsets: to - from, told: accepted + rejected + duplicate + undelivered + skipped }
}
