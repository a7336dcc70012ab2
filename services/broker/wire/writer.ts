import type { TopicOf } from './reader.ts'

const CHUNK_BYTES = 1_024

/** Writes the protocol's primitive types in order; record batches are passed on without a copy. */
export class Writer {
  readonly #parts: Buffer[] = []
  #chunk = Buffer.allocUnsafe(CHUNK_BYTES)
  #start = 0
  #at = 0

  int8 = (value: number) => this.#chunk.writeInt8(value, this.#reserve(1))
  int16 = (value: number) => this.#chunk.writeInt16BE(value, this.#reserve(2))
  int32 = (value: number) => this.#chunk.writeInt32BE(value, this.#reserve(4))
  /** Clamped to what a number holds exactly: clients may have sent anything. */
  int64 = (value: number) => {
    const safe = Math.max(Number.MIN_SAFE_INTEGER, Math.min(value, Number.MAX_SAFE_INTEGER))
    this.#chunk.writeBigInt64BE(BigInt(safe), this.#reserve(8))
  }
  boolean = (value: boolean) => this.int8(value ? 1 : 0)

  string = (value: string | null) => {
    if (value === null) return this.int16(-1)
    const length = Buffer.byteLength(value)
    this.int16(length)
    return this.#chunk.write(value, this.#reserve(length))
  }

  bytes = (value: Buffer) => {
    this.int32(value.length)
    this.#flush()
    this.#parts.push(value)
  }

  array = <T>(elements: readonly T[], write: (element: T) => void) => {
    this.int32(elements.length)
    for (const element of elements) write(element)
  }

  /** The shape that most responses share: topics by name, each with its partitions. */
  topics = <P>(topics: readonly TopicOf<P>[], write: (partition: P, topic: string) => void) =>
    this.array(topics, ({ name, partitions }) => {
      this.string(name)
      this.array(partitions, (partition) => write(partition, name))
    })

  /** All that was written, in pieces to be sent one after the other. */
  finish(): Buffer[] {
    this.#flush()
    return this.#parts
  }

  #flush() {
    this.#parts.push(this.#chunk.subarray(this.#start, this.#at))
    this.#start = this.#at
  }

  #reserve(length: number): number {
    if (this.#at + length > this.#chunk.length) {
      this.#flush()
      this.#chunk = Buffer.allocUnsafe(Math.max(CHUNK_BYTES, length))
      this.#start = this.#at = 0
    }
    this.#at += length
    return this.#at - length
  }
}
