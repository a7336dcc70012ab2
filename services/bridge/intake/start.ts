import type { PartitionState } from '../fold/index.ts'
import type { Bounds } from '../source/index.ts'

export type StartDecision = {
  /** Write this down first: a partition, or an incarnation of it, that the store does not know. */
  begin?: { incarnation: number; start: number }
  seek: number
  /** Whether the record at `seek` must be the fingerprint's. */
  verify: boolean
  /** What a person should know. */
  reason?: string
}

/** Where to read a partition from, by what the store knows of it and what Kafka still has. */
export function decideStart(
  stored: PartitionState | undefined,
  { low, high }: Bounds,
  startFrom: 'earliest' | 'latest',
): StartDecision {
  if (!stored) {
    const start = startFrom === 'latest' ? high : low
    return { begin: { incarnation: 1, start }, seek: start, verify: false }
  }
  const { position, fingerprint, incarnation } = stored
  if (position > high) {
    return {
      begin: { incarnation: incarnation + 1, start: low },
      seek: low,
      verify: false,
      reason: `the topic ends at ${high}, before our position ${position}: it was made anew; reading it from its start`,
    }
  }
  if (fingerprint && fingerprint.offset >= low) {
    return { seek: fingerprint.offset, verify: true }
  }
  return { seek: Math.max(position, low), verify: false }
}
