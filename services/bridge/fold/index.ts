export type {
  ColumnDelta,
  Counts,
  DeadLetter,
  Delta,
  Fingerprint,
  Gap,
  MinuteDelta,
  PartitionKey,
  PartitionState,
  SeriesDelta,
  SourceState,
} from './delta.ts'
export { advance, createFold, type Fold, fingerprintOf } from './fold.ts'
export { combinations, labelsKey, MINUTE_MS } from './sums.ts'
