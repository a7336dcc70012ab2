import { ERROR } from '../wire/errors.ts'
import { crc32c } from './crc32c.ts'

/** Record batch, message format v2 (Kafka documentation, 'Record Batch'); nothing behind the header is read. */
export const HEADER_BYTES = 61
const CRC_START = 21
const TRANSACTIONAL_OR_CONTROL = 0x30
const CODEC = 0x07
const ZSTD = 4
/** The first Produce version whose clients know zstd. */
const ZSTD_SINCE_VERSION = 7

export type BatchHeader = ReturnType<typeof readHeader>

/** @param at where the batch starts; HEADER_BYTES must follow. */
export function readHeader(bytes: Buffer, at = 0) {
  const baseOffset = Number(bytes.readBigInt64BE(at))
  return {
    baseOffset,
    /** With the base offset and the length itself, which the length does not count. */
    sizeBytes: bytes.readInt32BE(at + 8) + 12,
    magic: bytes.readInt8(at + 16),
    crc: bytes.readUInt32BE(at + 17),
    attributes: bytes.readInt16BE(at + CRC_START),
    /** The offset after the last record. */
    endOffset: baseOffset + bytes.readInt32BE(at + 23) + 1,
    maxTimestamp: Number(bytes.readBigInt64BE(at + 35)),
    recordCount: bytes.readInt32BE(at + 57),
  }
}

/** Whether the bytes from `at` are one whole batch, its checksum right and an offset for every record. */
export function isIntact(bytes: Buffer, at: number, header: BatchHeader): boolean {
  const { baseOffset, endOffset, sizeBytes, magic, recordCount, crc } = header
  if (magic !== 2 || sizeBytes < HEADER_BYTES || at + sizeBytes > bytes.length) return false
  if (recordCount < 1 || recordCount !== endOffset - baseOffset) return false
  return crc32c(bytes.subarray(at + CRC_START, at + sizeBytes)) === crc
}

/** Error code for what a produce request of `version` brings: it must be one intact batch of format v2. */
export function checkProduced(bytes: Buffer, version: number, maxBytes: number): number {
  if (bytes.length > maxBytes) return ERROR.messageTooLarge
  // Formats v0 and v1 have shorter headers, but the magic byte at the same place.
  if (bytes.length > 16 && bytes[16]! < 2) return ERROR.unsupportedForMessageFormat
  if (bytes.length < HEADER_BYTES) return ERROR.corruptMessage
  const header = readHeader(bytes)
  if (header.sizeBytes !== bytes.length || !isIntact(bytes, 0, header)) return ERROR.corruptMessage
  if (header.attributes & TRANSACTIONAL_OR_CONTROL) return ERROR.invalidRequest
  const isZstd = (header.attributes & CODEC) === ZSTD
  return isZstd && version < ZSTD_SINCE_VERSION ? ERROR.unsupportedCompression : ERROR.none
}

/** Sets the offset of the first record, and the leader epoch to 0; the checksum covers neither. */
export function placeAt(bytes: Buffer, baseOffset: number) {
  bytes.writeBigInt64BE(BigInt(baseOffset), 0)
  bytes.writeInt32BE(0, 12)
}
