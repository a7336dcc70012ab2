export { createDecoder, REASONS, type Reason, Rejection } from './event.ts'
export { batchSizeAt, type RecordBatch, readBatchHeader } from './record-batch.ts'
export {
  ABSENT,
  expectedRecords,
  INVALID,
  MAX_SOURCE_BYTES,
  MAX_TIMESTAMP_MS,
  RecordReader,
} from './records.ts'
