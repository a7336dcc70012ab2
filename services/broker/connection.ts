import { on, once } from 'node:events'
import type { Socket } from 'node:net'
import type { Logger } from '../runtime/logger.ts'
import type { Broker } from './api/api.ts'
import { APIS, apiVersions } from './api/apis.ts'
import { MalformedRequest, Reader } from './wire/reader.ts'
import { Writer } from './wire/writer.ts'

const MAX_REQUEST_BYTES = 100 * 2 ** 20

/**
 * Answers a client's requests in their order, one at a time, until it goes or sends what cannot be parsed.
 * It never throws: a fault costs this connection, and one log line.
 */
export async function serve(socket: Socket, broker: Broker, logger: Logger) {
  const client = `${socket.remoteAddress}:${socket.remotePort}`
  socket.on('error', (error) => logger.debug({ client }, error.message))
  try {
    for await (const request of requests(socket)) {
      const response = await answer(request, broker)
      if (response && !socket.write(response)) await once(socket, 'drain')
    }
  } catch (error) {
    if (error instanceof MalformedRequest) logger.warn({ client }, error.message)
    else if (!socket.errored) logger.error({ client, err: error }, 'cannot answer a request')
  }
  socket.destroy()
}

/** What a client sends, each request without the length in front of it. */
async function* requests(socket: Socket) {
  let lengthBytes: number | undefined
  for await (const _ of on(socket, 'readable', { close: ['close'] })) {
    for (;;) {
      const bytes: Buffer | null = socket.read(lengthBytes ?? 4)
      if (!bytes || bytes.length < (lengthBytes ?? 4)) break
      if (lengthBytes !== undefined) yield new Reader(bytes)
      lengthBytes = lengthBytes === undefined ? bytes.readInt32BE() : undefined
      if (lengthBytes !== undefined && (lengthBytes < 1 || lengthBytes > MAX_REQUEST_BYTES)) {
        throw new MalformedRequest(`a request of ${lengthBytes} bytes: no Kafka client, it seems`)
      }
    }
  }
}

/** The response; none when none is owed. */
async function answer(request: Reader, broker: Broker): Promise<Buffer | undefined> {
  const [key, version, correlationId] = [request.int16(), request.int16(), request.int32()]
  const clientId = request.nullableString() ?? ''
  const response = new Writer()
  response.int32(correlationId)
  const api = APIS.find((each) => each.key === key)
  const isSupported = api && version >= api.first && version <= api.last
  if (!isSupported && api?.handle !== apiVersions) {
    throw new MalformedRequest(`API ${key} version ${version} is not supported`)
  }
  if (version >= api.throttleSince) response.int32(0)
  const outcome = await api.handle({ version, clientId, request, response }, broker)
  return outcome === 'unanswered' ? undefined : response.finish()
}
