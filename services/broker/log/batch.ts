import { ERROR } from '../wire/errors.ts'

/** Record batch, message format v2 (Kafka documentation, 'Record Batch'); nothing behind the header is read. */
export const HEADER_BYTES = 61
const CRC_START = 21
const TRANSACTIONAL_OR_CONTROL = 0x30

/** Of CRC-32C, by byte: the reversed polynomial 0x82f63b78 (RFC 3720, appendix B.4), which zlib.crc32 is not. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, crc) => {
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

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

/** Whether the bytes from `at` are one whole batch with an offset for every record, and its `checksum` right. */
export function isIntact(bytes: Buffer, at: number, header: BatchHeader, checksum = true) {
  const { baseOffset, endOffset, sizeBytes, magic, recordCount, crc } = header
  if (magic !== 2 || sizeBytes < HEADER_BYTES || at + sizeBytes > bytes.length) return false
  if (recordCount < 1 || recordCount !== endOffset - baseOffset) return false
  return !checksum || crc32c(bytes.subarray(at + CRC_START, at + sizeBytes)) === crc
}

/** Error code for what is to be appended: it must be one intact batch of format v2. */
export function checkBatch(bytes: Buffer, maxBytes: number): number {
  if (bytes.length > maxBytes) return ERROR.messageTooLarge
  // Formats v0 and v1 have shorter headers, but the magic byte at the same place.
  if (bytes.length > 16 && bytes[16]! < 2) return ERROR.unsupportedForMessageFormat
  if (bytes.length < HEADER_BYTES) return ERROR.corruptMessage
  const header = readHeader(bytes)
  if (header.sizeBytes !== bytes.length || !isIntact(bytes, 0, header)) return ERROR.corruptMessage
  return header.attributes & TRANSACTIONAL_OR_CONTROL ? ERROR.invalidRequest : ERROR.none
}

function crc32c(bytes: Buffer): number {
  let crc = -1
  for (let i = 0; i < bytes.length; i++) crc = CRC_TABLE[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8)
  return ~crc >>> 0
}

/** Sets the offset of the first record, and the leader epoch to 0; the checksum covers neither. */
export function placeAt(bytes: Buffer, baseOffset: number) {
  bytes.writeBigInt64BE(BigInt(baseOffset), 0)
  bytes.writeInt32BE(0, 12)
}
