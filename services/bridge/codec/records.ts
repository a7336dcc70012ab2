import { HEADERS } from '../../kafka/headers.ts'
import { decompress } from './compression.ts'
import { RECORDS_OFFSET, type RecordBatch } from './record-batch.ts'

/** Years 1970 to 9999; a timestamp outside is taken as missing. */
export const MAX_TIMESTAMP_MS = 253_402_300_799_999

/** A header that is not set. */
export const ABSENT = -1
/** A header that should be a whole number and is not, or is above 2^53 - 1. */
export const INVALID = -2

const TIME = Buffer.from(HEADERS.time)
const SOURCE = Buffer.from(HEADERS.source)
const SEQUENCE = Buffer.from(HEADERS.sequence)
const PREVIOUS = Buffer.from(HEADERS.previous)
const MAX_DIGITS = 16
/** A source's name that is longer is none, and comes cut behind this. */
export const MAX_SOURCE_BYTES = 64
/** A source's name, a colon and a number. */
const MAX_PREVIOUS_BYTES = MAX_SOURCE_BYTES + 17

/**
 * Reads the records of one batch, one after the other, into its own fields: no object per record.
 * Format: https://kafka.apache.org/documentation/#record (varints are zigzag).
 */
export class RecordReader {
  offset = -1
  /** Milliseconds, or -1: none. */
  timestampMs = -1
  /** Where key and value stand in `bytes`; a start of -1 is null. */
  keyStart = -1
  keyEnd = -1
  valueStart = -1
  valueEnd = -1
  /** The headers meant for the bridge. Numbers are `ABSENT` where not set and `INVALID` where they are none. */
  timeMs: number = ABSENT
  sequence: number = ABSENT
  source: string | undefined
  previous: string | undefined
  /** Of this batch, decompressed. */
  bytes: Buffer
  /** Records not yet read. */
  remaining: number

  #at: number
  #batch: RecordBatch
  #lastSource = ''

  /** @throws Error when the batch cannot be decompressed or is of an old format. */
  constructor(batch: RecordBatch) {
    if (batch.magic !== 2) throw new Error(`message format ${batch.magic} is older than Kafka 0.11`)
    this.#batch = batch
    const records = batch.bytes.subarray(RECORDS_OFFSET)
    this.bytes = decompress(batch.codecId, records)
    this.#at = 0
    this.remaining = expectedRecords(batch)
  }

  /**
   * Moves to the next record. Returns false when all have been read.
   *
   * @throws Error when the bytes are no record; `remaining` then still counts it and those behind it, and offset,
   * timestamp, key and value are those of the record before.
   */
  next(): boolean {
    if (this.remaining === 0) return this.#end()
    const length = this.#varint()
    const end = this.#at + length
    if (length < 6 || end > this.bytes.length) throw new Error('a record is cut off')
    this.#at += 1
    const timestampDelta = this.#varint()
    const offset = this.#batch.baseOffset + this.#varint()
    if (offset <= this.offset || offset < this.#batch.baseOffset || offset > this.#batch.lastOffset)
      throw new Error('a record is out of its offset order')
    const keyStart = this.#field(end)
    const keyEnd = this.#at
    const valueStart = this.#field(end)
    const valueEnd = this.#at
    const headers = this.#varint()
    this.timeMs = this.sequence = ABSENT
    this.source = this.previous = undefined
    if (headers > 0) this.#headers(headers, end)
    if (this.#at !== end) throw new Error('a record is longer or shorter than it says')
    this.keyStart = keyStart
    this.keyEnd = keyEnd
    this.valueStart = valueStart
    this.valueEnd = valueEnd
    const ms = this.#batch.appendTimestampMs ?? this.#batch.baseTimestampMs + timestampDelta
    this.timestampMs = ms >= 0 && ms <= MAX_TIMESTAMP_MS ? ms : -1
    this.offset = offset
    this.remaining--
    return true
  }

  /** Behind the last record, whose number may be a lie: what is left of the offsets then belongs to what follows. */
  #end(): false {
    const { baseOffset, lastOffset } = this.#batch
    const offsets = lastOffset - Math.max(this.offset, baseOffset - 1)
    if (this.#at >= this.bytes.length || offsets <= 0) return false
    this.remaining = offsets
    throw new Error('the batch holds more than the number of records that it says')
  }

  /** Steps over a length-prefixed field; returns where it starts, or -1 for null. `#at` is then its end. */
  #field(end: number): number {
    const length = this.#varint()
    if (length < 0) return -1
    const start = this.#at
    this.#at = start + length
    if (this.#at > end) throw new Error('a record is cut off')
    return start
  }

  #headers(count: number, end: number) {
    for (let i = 0; i < count; i++) {
      const keyStart = this.#field(end)
      const keyEnd = this.#at
      const start = this.#field(end)
      if (keyStart < 0 || start < 0) continue
      if (this.#is(TIME, keyStart, keyEnd)) this.timeMs = this.#digits(start)
      else if (this.#is(SEQUENCE, keyStart, keyEnd)) this.sequence = this.#digits(start)
      else if (this.#is(SOURCE, keyStart, keyEnd)) this.source = this.#sourceText(start)
      else if (this.#is(PREVIOUS, keyStart, keyEnd))
        this.previous = this.#text(start, MAX_PREVIOUS_BYTES)
    }
  }

  #is(name: Buffer, start: number, end: number): boolean {
    if (end - start !== name.length) return false
    for (let i = 0; i < name.length; i++) if (this.bytes[start + i] !== name[i]) return false
    return true
  }

  /** The field from `start` to here as a decimal number. */
  #digits(start: number): number {
    if (start === this.#at || this.#at - start > MAX_DIGITS) return INVALID
    let number = 0
    for (let i = start; i < this.#at; i++) {
      const digit = this.bytes[i]! - 48
      if (digit < 0 || digit > 9) return INVALID
      number = number * 10 + digit
    }
    return number <= Number.MAX_SAFE_INTEGER ? number : INVALID
  }

  /** The field from `start` to here; cut behind `max` bytes, which then is no valid value. */
  #text(start: number, max: number): string {
    return this.bytes.toString('latin1', start, Math.min(this.#at, start + max + 1))
  }

  /** As `#text`, but most records have the source of the one before. */
  #sourceText(start: number): string {
    const last = this.#lastSource
    if (last.length === this.#at - start) {
      let i = 0
      while (i < last.length && this.bytes[start + i] === last.charCodeAt(i)) i++
      if (i === last.length) return last
    }
    this.#lastSource = this.#text(start, MAX_SOURCE_BYTES)
    return this.#lastSource
  }

  /** A zigzag varint of up to 53 bits. Beyond the end a byte reads as undefined: caught by the callers' bounds. */
  #varint(): number {
    const bytes = this.bytes
    let byte = bytes[this.#at++] as number
    if (byte < 0x80) return (byte >>> 1) ^ -(byte & 1)
    let low = byte & 0x7f
    let scale = 128
    do {
      byte = bytes[this.#at++] as number
      if (byte === undefined || scale > 2 ** 63) throw new Error('a record is cut off')
      low += (byte & 0x7f) * scale
      scale *= 128
    } while (byte >= 0x80)
    return low % 2 === 0 ? low / 2 : -(low + 1) / 2
  }
}

/** How many records a batch can hold at most: as it says, but never more than its offsets leave room for. */
export function expectedRecords(batch: RecordBatch): number {
  return Math.max(0, Math.min(batch.recordCount, batch.lastOffset - batch.baseOffset + 1))
}
