/**
 * Kafka's record batch, format v2 (https://kafka.apache.org/documentation/#recordbatch). All integers big-endian:
 * base offset @0 int64 · length @8 int32 (of what follows) · leader epoch @12 · magic @16 int8 · CRC-32C @17 ·
 * attributes @21 int16 · last offset delta @23 int32 · base timestamp @27 int64 · max timestamp @35 ·
 * producer id @43 int64 · epoch @51 · base sequence @53 · records count @57 int32 · records @61
 */
export const RECORDS_OFFSET = 61

const CODEC_MASK = 0x07
const LOG_APPEND_TIME = 0x08
const TRANSACTIONAL = 0x10
const CONTROL = 0x20

/** A batch as it came: header fields read, records untouched. Offsets and timestamps (ms) are exact below 2^53. */
export type RecordBatch = {
  bytes: Buffer
  baseOffset: number
  lastOffset: number
  /** As the header says; not to be trusted before the records have been read. */
  recordCount: number
  codecId: number
  isControl: boolean
  isTransactional: boolean
  producerId: bigint
  baseTimestampMs: number
  /** Set when the broker stamps the records (LogAppendTime). */
  appendTimestampMs: number | undefined
}

/** Bytes of the batch that starts at `start`, or 0 when `bytes` ends before it does. */
export function batchSizeAt(bytes: Buffer, start: number): number {
  if (bytes.length - start < RECORDS_OFFSET) return 0
  const size = 12 + bytes.readInt32BE(start + 8)
  return size >= RECORDS_OFFSET && start + size <= bytes.length ? size : 0
}

/** Reads the header of one whole batch of magic 2. */
export function readBatchHeader(bytes: Buffer): RecordBatch {
  const attributes = bytes.readInt16BE(21)
  const baseOffset = Number(bytes.readBigInt64BE(0))
  const maxTimestampMs = Number(bytes.readBigInt64BE(35))
  return {
    bytes,
    baseOffset,
    lastOffset: baseOffset + Math.max(0, bytes.readInt32BE(23)),
    recordCount: bytes.readInt32BE(57),
    codecId: attributes & CODEC_MASK,
    isControl: (attributes & CONTROL) !== 0,
    isTransactional: (attributes & TRANSACTIONAL) !== 0,
    producerId: bytes.readBigInt64BE(43),
    baseTimestampMs: Number(bytes.readBigInt64BE(27)),
    appendTimestampMs: attributes & LOG_APPEND_TIME ? maxTimestampMs : undefined,
  }
}
