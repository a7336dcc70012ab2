import { RecordReader } from '../codec/index.ts'
import { fingerprintOf, type PartitionState } from '../fold/index.ts'
import type { Fetched } from '../source/index.ts'

/** Whether the record before our position is the one we know. A log without that record (compacted) passes. */
export function isSameLog(
  { fingerprint }: PartitionState,
  { batches, withheld }: Pick<Fetched, 'batches' | 'withheld'>,
): boolean {
  const { offset, hash } = fingerprint!
  const covers = (batch: Fetched['batches'][0]) =>
    batch.baseOffset <= offset && offset <= batch.lastOffset
  // What was counted cannot have become a marker, or part of a transaction that was taken back.
  if (withheld.some(covers)) return false
  const batch = batches.find(covers)
  if (!batch) return true
  try {
    const reader = new RecordReader(batch)
    while (reader.next()) if (reader.offset === offset) return fingerprintOf(reader).hash === hash
  } catch {
    return false
  }
  return true
}
