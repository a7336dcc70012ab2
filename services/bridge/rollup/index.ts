export { dateOf, type Row, rowsOf, toCsv } from './csv.ts'
export { syncFolder, writeWhole } from './file.ts'
export {
  createPublisher,
  type Publisher,
  RETENTION_DAYS,
  retainedFromMs,
  TARGETS,
} from './publisher.ts'
