export { type Copied, copyDatabase } from './copy.ts'
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
export { openSqliteStore } from './sqlite-store.ts'
export type { Summary } from './summary.ts'
