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
  /** While another broker takes over, a log may seem shorter for a moment: only act on this when it stays so. */
  doubtful?: boolean
}

/**
 * Where to read a partition from, by what the store knows of it and what Kafka has now. A topic that was deleted and
 * made anew has another id, and counts from its first record; where the broker has no ids, a log that ends before our
 * position, or another record at the fingerprint's offset, tells.
 *
 * @param topicId the topic's id now; undefined where the broker has none.
 */
export function decideStart(
  stored: PartitionState | undefined,
  { low, high }: Bounds,
  topicId: string | undefined,
): StartDecision {
  if (!stored) return { begin: { incarnation: 1, start: low }, seek: low, verify: false }
  const { position, fingerprint } = stored
  const known = topicId !== undefined && stored.topicId !== undefined
  if (known && topicId !== stored.topicId) return anew(stored, low, 'it has another id')
  if (position > high) {
    const shorter = `it ends at ${high}, before our position ${position}`
    const decision = known ? regrown(stored, high, shorter) : anew(stored, low, shorter)
    return { ...decision, doubtful: true }
  }
  if (fingerprint && fingerprint.offset >= low) return { seek: fingerprint.offset, verify: true }
  return { seek: Math.max(position, low), verify: false }
}

/** What to do when the record at the fingerprint's offset is another than the one that was counted. */
export function decideOther(
  stored: PartitionState,
  low: number,
  topicId: string | undefined,
): StartDecision {
  const other = `record ${stored.fingerprint?.offset} is another than before`
  const known = topicId !== undefined && topicId === stored.topicId
  return known ? regrown(stored, stored.position, other) : anew(stored, low, other)
}

function anew({ incarnation }: PartitionState, low: number, why: string): StartDecision {
  return {
    begin: { incarnation: incarnation + 1, start: low },
    seek: low,
    verify: false,
    reason: `the topic was made anew (${why}); counting it from its start`,
  }
}

/** The same topic lost its tail (an unclean election, a broken disk): what is left was counted already. */
function regrown({ incarnation }: PartitionState, start: number, why: string): StartDecision {
  return {
    begin: { incarnation: incarnation + 1, start },
    seek: start,
    verify: false,
    reason: `the topic lost records that were counted (${why}); going on at ${start}, and what was written in their place before that is not counted`,
  }
}
