import * as fs from 'node:fs'
import { type BatchHeader, HEADER_BYTES, isIntact, readHeader } from './batch.ts'

/** A file of record batches, one after the other, from `baseOffset` on. */
export class Segment {
  readonly baseOffset: number
  endOffset: number
  sizeBytes = 0
  readonly #path: string
  readonly #file: number
  /** Of each batch: where it ends in the file, the offset after it, its greatest timestamp. */
  readonly #ends: number[] = []
  readonly #endOffsets: number[] = []
  readonly #maxTimestamps: number[] = []

  constructor(path: string, baseOffset: number) {
    this.#path = path
    this.baseOffset = this.endOffset = baseOffset
    this.#file = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o644)
  }

  /** Takes in what the file holds and cuts it at the first batch that is not whole. @returns the number of bytes cut. */
  recover(checksums: boolean): number {
    const bytes = fs.readFileSync(this.#path)
    while (this.sizeBytes + HEADER_BYTES <= bytes.length) {
      const header = readHeader(bytes, this.sizeBytes)
      const isWhole = isIntact(bytes, this.sizeBytes, header, checksums)
      if (!isWhole || header.baseOffset !== this.endOffset) break
      this.#take(header)
    }
    fs.ftruncateSync(this.#file, this.sizeBytes)
    return bytes.length - this.sizeBytes
  }

  /** @throws the system's error when the disk refuses; the segment is then as it was. */
  append(batch: Buffer) {
    // At a position, not at the end: what a failed write left behind is overwritten by the next.
    for (let done = 0; done < batch.length; ) {
      done += fs.writeSync(this.#file, batch, done, batch.length - done, this.sizeBytes + done)
    }
    this.#take(readHeader(batch))
  }

  /** Whole batches up to `maxBytes`, from the one that holds `offset` on; that one however large if `atLeastOne`. */
  read(offset: number, maxBytes: number, atLeastOne: boolean): Buffer {
    const first = this.#endOffsets.findLastIndex((end) => end <= offset) + 1
    const start = this.#ends[first - 1] ?? 0
    let end = atLeastOne ? this.#ends[first]! : start
    for (let at = first; at < this.#ends.length && this.#ends[at]! - start <= maxBytes; at++) {
      end = this.#ends[at]!
    }
    const bytes = Buffer.allocUnsafe(end - start)
    return bytes.subarray(0, fs.readSync(this.#file, bytes, 0, bytes.length, start))
  }

  /** The first batch with a record at or after `timestamp`. */
  find(timestamp: number) {
    const at = this.#maxTimestamps.findIndex((each) => each >= timestamp)
    const baseOffset = this.#endOffsets[at - 1] ?? this.baseOffset
    return at < 0 ? undefined : { baseOffset, maxTimestamp: this.#maxTimestamps[at]! }
  }

  remove() {
    fs.closeSync(this.#file)
    fs.rmSync(this.#path)
  }

  #take({ endOffset, sizeBytes, maxTimestamp }: BatchHeader) {
    this.sizeBytes += sizeBytes
    this.endOffset = endOffset
    this.#ends.push(this.sizeBytes)
    this.#endOffsets.push(endOffset)
    this.#maxTimestamps.push(maxTimestamp)
  }
}
