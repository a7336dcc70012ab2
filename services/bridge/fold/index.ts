export type {
  ColumnDelta,
  Counted,
  Counts,
  DeadLetter,
  Delta,
  Fingerprint,
  Gap,
  MinuteDelta,
  PartitionKey,
  PartitionState,
  Redrive,
  SeriesDelta,
  SourceState,
} from './delta.ts'
export { advance, createFold, type Fold } from './fold.ts'
export { fingerprintOf } from './letter.ts'
export { afterRedrive, type Stays } from './redrive.ts'
export { MAX_SOURCES } from './sequence.ts'
export { combinations, labelsKey, MINUTE_MS } from './sums.ts'
