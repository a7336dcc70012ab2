/** A request that cannot be parsed; its connection is closed. */
export class MalformedRequest extends Error {}

/** The shape that most requests and responses share: topics by name, each with its partitions. */
export type TopicOf<P> = { name: string; partitions: PartitionOf<P>[] }
export type PartitionOf<P> = P & { partition: number }

/** Reads the protocol's primitive types in order. @throws MalformedRequest where the bytes do not suffice. */
export class Reader {
  readonly #bytes: Buffer
  #end = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int8 = () => this.#take(1).readInt8()
  int16 = () => this.#take(2).readInt16BE()
  int32 = () => this.#take(4).readInt32BE()
  /** Exact to 2^53, which no offset reaches. */
  int64 = () => Number(this.#take(8).readBigInt64BE())
  string = () => this.#take(this.int16()).toString()
  nullableString = () => {
    const length = this.int16()
    return length === -1 ? null : this.#take(length).toString()
  }
  /** A view into the request, not a copy; null counts as empty. */
  bytes = () => this.#take(Math.max(0, this.int32()))

  array = <T>(element: () => T): T[] => this.nullableArray(element) ?? []
  nullableArray = <T>(element: () => T): T[] | null => {
    const length = this.int32()
    return length === -1 ? null : Array.from({ length }, element)
  }
  /** @param rest reads what follows the partition's number. */
  topic = <P>(rest: () => P): TopicOf<P> => {
    const partition = () => ({ partition: this.int32(), ...rest() })
    return { name: this.string(), partitions: this.array(partition) }
  }
  topics = <P>(rest: () => P) => this.array(() => this.topic(rest))

  #take(length: number): Buffer {
    const start = this.#end
    this.#end += length
    if (length >= 0 && this.#end <= this.#bytes.length) {
      return this.#bytes.subarray(start, this.#end)
    }
    throw new MalformedRequest(`malformed request, at byte ${start} of ${this.#bytes.length}`)
  }
}
