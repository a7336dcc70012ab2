import type { PartitionOf, TopicOf } from './reader.ts'

/** Writes the protocol's primitive types in order, behind four bytes for the length of it all. */
export class Writer {
  #bytes = Buffer.allocUnsafe(1_024)
  #end = 4

  int8 = (value: number) => this.#grow(1).writeInt8(value, this.#end - 1)
  int16 = (value: number) => this.#grow(2).writeInt16BE(value, this.#end - 2)
  int32 = (value: number) => this.#grow(4).writeInt32BE(value, this.#end - 4)
  int64 = (value: number) => {
    this.#grow(8).writeBigInt64BE(BigInt.asIntN(64, BigInt(value)), this.#end - 8)
  }

  string = (value: string | null) => {
    const bytes = Buffer.from(value ?? '')
    this.int16(value === null ? -1 : bytes.length)
    bytes.copy(this.#grow(bytes.length), this.#end - bytes.length)
  }
  bytes = (value: Buffer) => {
    this.int32(value.length)
    value.copy(this.#grow(value.length), this.#end - value.length)
  }

  array = <T>(elements: readonly T[], write: (element: T) => void) => {
    this.int32(elements.length)
    for (const element of elements) write(element)
  }
  /** @param rest writes what follows the partition's number. */
  topics = <P>(topics: TopicOf<P>[], rest: (partition: PartitionOf<P>, name: string) => void) =>
    this.array(topics, ({ name, partitions }) => {
      this.string(name)
      this.array(partitions, (each) => {
        this.int32(each.partition)
        rest(each, name)
      })
    })

  finish(): Buffer {
    this.#bytes.writeInt32BE(this.#end - 4)
    return this.#bytes.subarray(0, this.#end)
  }

  #grow(length: number): Buffer {
    this.#end += length
    if (this.#end > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#end, 2 * this.#bytes.length))
      this.#bytes.copy(grown)
      this.#bytes = grown
    }
    return this.#bytes
  }
}
