export {
  type Difference,
  differences,
  type MinuteDifference,
  minuteDifferences,
} from './compare.ts'
export { type Copied, copyDatabase } from './copy.ts'
export { STORE_FILE } from './database.ts'
export { DAY_MS, dayOf } from './days.ts'
export { type OpenGap, readOpenGaps } from './gaps.ts'
export type { LetterFilter, LetterTotals } from './letters.ts'
export { refuseLost } from './lost.ts'
export { type Letters, openLetters } from './open-letters.ts'
export type {
  CommitResult,
  DayRows,
  DefinitionConflict,
  PartitionStart,
  PartitionTotals,
  RedriveResult,
  Snapshot,
  Store,
  StoredLetter,
  StreamState,
} from './port.ts'
export { openRebuiltStore, type RebuiltStore, settleLog } from './rebuilt.ts'
export { openSqliteStore } from './sqlite-store.ts'
export type { Summary } from './summary.ts'
