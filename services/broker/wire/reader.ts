/** A request that cannot be parsed; its connection is closed. */
export class MalformedRequest extends Error {}

export type TopicOf<P> = { name: string; partitions: P[] }

/** Reads the protocol's primitive types in order. @throws MalformedRequest where the bytes do not suffice. */
export class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  int8 = () => this.#bytes.readInt8(this.#skip(1))
  int16 = () => this.#bytes.readInt16BE(this.#skip(2))
  int32 = () => this.#bytes.readInt32BE(this.#skip(4))
  /** Exact to 2^53, which no offset reaches. */
  int64 = () => Number(this.#bytes.readBigInt64BE(this.#skip(8)))
  boolean = () => this.int8() !== 0
  string = () => this.nullableString() ?? malformed('a string is null')
  nullableString = () => this.#sized(this.int16())?.toString() ?? null
  /** A view into the request, not a copy; null counts as empty. */
  bytes = () => this.#sized(this.int32()) ?? Buffer.alloc(0)

  array = <T>(element: () => T): T[] => this.nullableArray(element) ?? malformed('an array is null')
  nullableArray = <T>(element: () => T): T[] | null => {
    const length = this.int32()
    // Every element takes at least a byte: a greater length is refused before memory is set aside for it.
    if (length < -1 || length > this.#bytes.length - this.#at) malformed(`an array of ${length}`)
    return length === -1 ? null : Array.from({ length }, element)
  }

  /** The shape that most requests share: topics by name, each with its partitions. */
  topics = <P>(partition: () => P) => this.array(() => this.topic(partition))
  topic = <P>(partition: () => P): TopicOf<P> => {
    return { name: this.string(), partitions: this.array(partition) }
  }

  #sized(length: number): Buffer | undefined {
    if (length === -1) return undefined
    const start = this.#skip(length)
    return this.#bytes.subarray(start, start + length)
  }

  #skip(length: number): number {
    const start = this.#at
    if (length < 0 || start + length > this.#bytes.length) malformed(`${length} bytes at ${start}`)
    this.#at += length
    return start
  }
}

function malformed(what: string): never {
  throw new MalformedRequest(`malformed request (${what})`)
}
