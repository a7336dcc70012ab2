import { createHash } from 'node:crypto'
import type { RecordBatch, RecordReader, Rejection } from '../codec/index.ts'
import type { DeadLetter, Fingerprint } from './delta.ts'

/** Of a dead letter's key and value. */
const KEPT_BYTES = 1024

/** Recognises a record: by its time, key and value. */
export function fingerprintOf(reader: RecordReader): Fingerprint {
  const hash = createHash('sha256').update(`${reader.timestampMs}\n`)
  hash.update(key(reader) ?? 'null').update('\n')
  return { offset: reader.offset, hash: hash.update(value(reader) ?? 'null').digest('hex') }
}

/** The record that the reader stands at, as a dead letter. */
export function letterOf(reader: RecordReader, { reason, detail }: Rejection): DeadLetter {
  const valueBytes = value(reader)
  return {
    offset: reader.offset,
    records: 1,
    reason,
    detail,
    timestampMs: reader.timestampMs,
    key: kept(key(reader)),
    value: kept(valueBytes),
    valueBytes: valueBytes?.length ?? 0,
    hash: hashOfRecord(reader),
  }
}

/** The rest of a batch, `records` records from `offset` on, that cannot be read. */
export function letterOfRest(
  batch: RecordBatch,
  offset: number,
  records: number,
  error: Error,
): DeadLetter {
  return {
    offset,
    records,
    reason: 'undecodable',
    detail: `${error.message}; ${records} records up to offset ${batch.lastOffset} cannot be read`,
    timestampMs: batch.baseTimestampMs,
    key: null,
    value: kept(batch.bytes),
    valueBytes: batch.bytes.length,
    hash: hashOfBatch(batch),
  }
}

/** A letter's `hash`: of key and value, SHA-256, hex. */
export function hashOfRecord(reader: RecordReader): string {
  return hashOf(key(reader), value(reader))
}

/** The `hash` of a letter that stands for the rest of a batch: of the whole batch as it came. */
export function hashOfBatch({ bytes }: RecordBatch): string {
  return hashOf(null, bytes)
}

function key({ bytes, keyStart, keyEnd }: RecordReader): Buffer | null {
  return keyStart < 0 ? null : bytes.subarray(keyStart, keyEnd)
}

function value({ bytes, valueStart, valueEnd }: RecordReader): Buffer | null {
  return valueStart < 0 ? null : bytes.subarray(valueStart, valueEnd)
}

/** A copy, so that the whole batch is not kept in memory for it. */
function kept(bytes: Buffer | null): Buffer | null {
  return bytes && Buffer.from(bytes.subarray(0, KEPT_BYTES))
}

function hashOf(key: Buffer | null, value: Buffer | null): string {
  return createHash('sha256')
    .update(key ?? '')
    .update('\n')
    .update(value ?? '')
    .digest('hex')
}
