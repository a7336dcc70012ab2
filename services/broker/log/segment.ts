import {
  closeSync,
  constants,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { type BatchHeader, HEADER_BYTES, isIntact, readHeader } from './batch.ts'

/** One index entry per so many bytes: finding a batch reads at most the headers between two entries. */
const INDEX_INTERVAL_BYTES = 4_096

/** A file of record batches, one after the other, from `baseOffset` on. */
export class Segment {
  readonly baseOffset: number
  readonly path: string
  endOffset: number
  sizeBytes = 0
  maxTimestamp = Number.NEGATIVE_INFINITY
  readonly #index: { position: number; offset: number; earlierMaxTimestamp: number }[] = []
  readonly #file: number

  constructor(path: string, baseOffset: number) {
    this.path = path
    this.baseOffset = baseOffset
    this.endOffset = baseOffset
    this.#file = openSync(path, constants.O_RDWR | constants.O_CREAT, 0o644)
  }

  /** Takes in what the file holds and cuts it at the first batch that is not whole. @returns how many bytes. */
  recover(): number {
    const bytes = readFileSync(this.path)
    while (this.sizeBytes + HEADER_BYTES <= bytes.length) {
      const header = readHeader(bytes, this.sizeBytes)
      if (header.baseOffset !== this.endOffset || !isIntact(bytes, this.sizeBytes, header)) break
      this.#take(header)
    }
    ftruncateSync(this.#file, this.sizeBytes)
    return bytes.length - this.sizeBytes
  }

  /** @throws the system's error when the disk refuses; the segment is then as it was. */
  append(batch: Buffer) {
    // At a position, not at the end: what a failed write left behind is overwritten by the next.
    for (let done = 0; done < batch.length; ) {
      done += writeSync(this.#file, batch, done, batch.length - done, this.sizeBytes + done)
    }
    this.#take(readHeader(batch))
  }

  /** Whole batches up to `maxBytes`, from the one that holds `offset` on; that one however large if `atLeastOne`. */
  read(offset: number, maxBytes: number, atLeastOne: boolean): Buffer {
    const near = this.#index.findLast((entry) => entry.offset <= offset)!.position
    const { position, header } = this.#find(near, ({ endOffset }) => endOffset > offset)
    if (header.sizeBytes > maxBytes) return this.#read(position, atLeastOne ? header.sizeBytes : 0)
    const bytes = this.#read(position, Math.min(maxBytes, this.sizeBytes - position))
    let end = 0
    while (end + HEADER_BYTES <= bytes.length) {
      const next = end + readHeader(bytes, end).sizeBytes
      if (next > bytes.length) break
      end = next
    }
    return bytes.subarray(0, end)
  }

  /** The first batch with a record at or after `timestamp`, which `maxTimestamp` must reach. */
  batchAt(timestamp: number): BatchHeader {
    const near = this.#index.findLast((entry) => entry.earlierMaxTimestamp < timestamp)!.position
    return this.#find(near, ({ maxTimestamp }) => maxTimestamp >= timestamp).header
  }

  close() {
    closeSync(this.#file)
  }

  remove() {
    this.close()
    rmSync(this.path)
  }

  #take({ baseOffset, endOffset, sizeBytes, maxTimestamp }: BatchHeader) {
    const { sizeBytes: position, maxTimestamp: earlierMaxTimestamp } = this
    if (position >= (this.#index.at(-1)?.position ?? -Infinity) + INDEX_INTERVAL_BYTES) {
      this.#index.push({ position, offset: baseOffset, earlierMaxTimestamp })
    }
    this.sizeBytes += sizeBytes
    this.endOffset = endOffset
    this.maxTimestamp = Math.max(earlierMaxTimestamp, maxTimestamp)
  }

  #find(position: number, isWanted: (header: BatchHeader) => boolean) {
    for (;;) {
      const header = readHeader(this.#read(position, HEADER_BYTES))
      if (isWanted(header)) return { position, header }
      position += header.sizeBytes
    }
  }

  #read(position: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length)
    const read = readSync(this.#file, bytes, 0, length, position)
    if (read < length) throw new Error(`${this.path} ends before byte ${position + length}`)
    return bytes
  }
}
