import { on, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Reader } from '../../services/broker/wire/reader.ts'
import { Writer } from '../../services/broker/wire/writer.ts'

/** A connection that speaks the wire protocol itself, for what no client library lets one ask. */
export class RawClient implements Disposable {
  readonly socket: Socket

  private constructor(socket: Socket) {
    this.socket = socket
  }

  static async open(brokers: string): Promise<RawClient> {
    const [host, port] = brokers.split(':')
    const socket = connect(Number(port), host)
    await once(socket, 'connect')
    return new RawClient(socket)
  }

  /** @returns the response, behind its correlation id. @throws when the connection ends instead. */
  async ask(key: number, version: number, write: (body: Writer) => void): Promise<Reader> {
    const request = new Writer()
    request.int16(key)
    request.int16(version)
    request.int32(1)
    request.string('raw')
    write(request)
    this.socket.write(request.finish())
    const chunks: Buffer[] = []
    for await (const [chunk] of onData(this.socket)) {
      chunks.push(chunk)
      const bytes = Buffer.concat(chunks)
      if (bytes.length < 4 || bytes.length < 4 + bytes.readInt32BE()) continue
      return new Reader(bytes.subarray(8))
    }
    throw new Error('the connection ended')
  }

  [Symbol.dispose]() {
    this.socket.destroy()
  }
}

function onData(socket: Socket): AsyncIterable<[Buffer]> {
  return on(socket, 'data', { close: ['close'] }) as AsyncIterable<[Buffer]>
}

export type Fetched = { error: number; highWatermark: number; batches: Buffer; elapsedMs: number }

/** Fetch (version 4) of one partition. */
export async function fetchRaw(
  brokers: string,
  topic: string,
  { partition = 0, offset = 0, minBytes = 1, maxWaitMs = 100, maxBytes = 2 ** 20 } = {},
): Promise<Fetched> {
  using client = await RawClient.open(brokers)
  const started = performance.now()
  const response = await client.ask(1, 4, (body) => {
    body.int32(-1)
    body.int32(maxWaitMs)
    body.int32(minBytes)
    body.int32(maxBytes)
    body.int8(0)
    body.topics([{ name: topic, partitions: [{ partition }] }], () => {
      body.int64(offset)
      body.int32(maxBytes)
    })
  })
  response.int32()
  const [answer] = response.topics(() => {
    const [error, highWatermark] = [response.int16(), response.int64()]
    response.int64()
    response.array(() => [response.int64(), response.int64()])
    return { error, highWatermark, batches: response.bytes() }
  })
  return { ...answer!.partitions[0]!, elapsedMs: performance.now() - started }
}

/** Produce (version 7) of bytes as they are, to partition 0. */
export async function produceRaw(brokers: string, topic: string, batch: Buffer) {
  using client = await RawClient.open(brokers)
  const response = await client.ask(0, 7, (body) => {
    body.string(null)
    body.int16(-1)
    body.int32(5_000)
    body.topics([{ name: topic, partitions: [{ partition: 0 }] }], () => body.bytes(batch))
  })
  const [answer] = response.topics(() => {
    const [error, baseOffset] = [response.int16(), response.int64()]
    response.int64()
    response.int64()
    return { error, baseOffset }
  })
  return answer!.partitions[0]!
}
