import { readBatchHeader } from '../../services/bridge/codec/index.ts'

type Header = [name: Buffer | string | null, value: Buffer | string | null]

export type TestRecord = {
  value: Buffer | string | null
  key?: Buffer | string | null
  headers?: Record<string, string> | Header[]
  timestampMs?: number
  /** Relative to the batch's base offset; the record's place unless set. */
  offsetDelta?: number
}

export type TestBatch = {
  baseOffset?: number
  records: TestRecord[]
  codecId?: number
  compress?: (records: Buffer) => Buffer
  /** What the header claims instead of the number of records. */
  recordCount?: number
  lastOffsetDelta?: number
  attributes?: number
  maxTimestampMs?: number
}

/** Writes a record batch v2 as a producer would, or as no producer should. The CRC is right. */
export function encodeBatch(batch: TestBatch): Buffer {
  const { records, baseOffset = 0, codecId = 0, compress = (bytes) => bytes } = batch
  const baseTimestampMs = records[0]?.timestampMs ?? 0
  const plain = Buffer.concat(records.map((record, i) => encodeRecord(record, i, baseTimestampMs)))
  const bytes = Buffer.concat([Buffer.alloc(61), compress(plain)])
  const lastDelta = batch.lastOffsetDelta ?? records.at(-1)?.offsetDelta ?? records.length - 1
  bytes.writeBigInt64BE(BigInt(baseOffset), 0)
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes.writeInt8(2, 16)
  bytes.writeInt16BE((batch.attributes ?? 0) | codecId, 21)
  bytes.writeInt32BE(lastDelta, 23)
  bytes.writeBigInt64BE(BigInt(baseTimestampMs), 27)
  bytes.writeBigInt64BE(BigInt(batch.maxTimestampMs ?? baseTimestampMs), 35)
  bytes.writeBigInt64BE(-1n, 43)
  bytes.writeInt16BE(-1, 51)
  bytes.writeInt32BE(-1, 53)
  bytes.writeInt32BE(batch.recordCount ?? records.length, 57)
  bytes.writeUInt32BE(crc32c(bytes.subarray(21)), 17)
  return bytes
}

/** The same, as the codec reads it. */
export function testBatch(batch: TestBatch) {
  return readBatchHeader(encodeBatch(batch))
}

function encodeRecord(record: TestRecord, index: number, baseTimestampMs: number): Buffer {
  const { headers: given = {} } = record
  const headers = Array.isArray(given) ? given : Object.entries(given)
  const body = Buffer.concat([
    Buffer.from([0]),
    varint((record.timestampMs ?? baseTimestampMs) - baseTimestampMs),
    varint(record.offsetDelta ?? index),
    field(record.key ?? null),
    field(record.value),
    varint(headers.length),
    ...headers.flatMap(([name, value]) => [field(name), field(value)]),
  ])
  return Buffer.concat([varint(body.length), body])
}

function field(value: Buffer | string | null): Buffer {
  if (value === null) return varint(-1)
  const bytes = Buffer.from(value as string)
  return Buffer.concat([varint(bytes.length), bytes])
}

/** Zigzag, as Kafka writes every length and delta in a record. */
export function varint(value: number): Buffer {
  if (value >= 0 && value < 64) return Buffer.of(value * 2)
  const bytes: number[] = []
  let rest = value >= 0 ? BigInt(value) * 2n : BigInt(-value) * 2n - 1n
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80)
    rest >>= 7n
  }
  return Buffer.from([...bytes, Number(rest)])
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

function crc32c(bytes: Buffer): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ byte) & 0xff]!
  return ~crc >>> 0
}
