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
  /** Format: 2, or 0 and 1 for what was written before Kafka 0.11 and is not read. */
  magic: number
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

const MAGIC_OFFSET = 16
/** Offset and length, which every format starts with. */
const PREFIX_BYTES = 12

/** Bytes of the batch that starts at `start`, or 0 when `bytes` ends before it does. */
export function batchSizeAt(bytes: Buffer, start: number): number {
  if (bytes.length - start <= MAGIC_OFFSET) return 0
  const size = PREFIX_BYTES + bytes.readInt32BE(start + 8)
  const least = bytes[start + MAGIC_OFFSET] === 2 ? RECORDS_OFFSET : MAGIC_OFFSET + 1
  return size >= least && start + size <= bytes.length ? size : 0
}

/** Reads the header of one whole batch. */
export function readBatchHeader(bytes: Buffer): RecordBatch {
  if (bytes[MAGIC_OFFSET] !== 2) return oldMessage(bytes)
  const attributes = bytes.readInt16BE(21)
  const baseOffset = Number(bytes.readBigInt64BE(0))
  const maxTimestampMs = Number(bytes.readBigInt64BE(35))
  return {
    bytes,
    magic: 2,
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

/** A message of the formats before 0.11: known by its offset only. */
function oldMessage(bytes: Buffer): RecordBatch {
  const offset = Number(bytes.readBigInt64BE(0))
  return {
    bytes,
    magic: bytes[MAGIC_OFFSET] ?? 0,
    baseOffset: offset,
    lastOffset: offset,
    recordCount: 1,
    codecId: 0,
    isControl: false,
    isTransactional: false,
    producerId: -1n,
    baseTimestampMs: -1,
    appendTimestampMs: undefined,
  }
}
