export { DAY_MS, dayOf } from './days.ts'
export type {
  CommitResult,
  DayRows,
  DefinitionConflict,
  PartitionStart,
  PartitionTotals,
  Snapshot,
  Store,
  StreamState,
} from './port.ts'
export { openSqliteStore } from './sqlite-store.ts'
