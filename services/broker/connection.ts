import type { Socket } from 'node:net'
import type { Logger } from '../runtime/logger.ts'
import { MalformedRequest } from './wire/reader.ts'

const MAX_REQUEST_BYTES = 100 * 2 ** 20

/**
 * Answers a client's requests in their order, one at a time, until it goes or sends what cannot be parsed.
 * It never throws: a fault costs this connection, and one log line.
 */
export async function serve(
  socket: Socket,
  answer: (frame: Buffer) => Promise<Buffer[] | undefined>,
  logger: Logger,
) {
  const client = `${socket.remoteAddress}:${socket.remotePort}`
  socket.setNoDelay(true)
  // Errors of the socket reach the loop below; without a listener, one between two reads would end the process.
  socket.on('error', () => {})
  try {
    for await (const frame of frames(socket)) {
      const response = await answer(frame)
      if (!response) break
      socket.cork()
      for (const part of response) socket.write(part)
      socket.uncork()
    }
  } catch (error) {
    if (error instanceof MalformedRequest) logger.warn({ client }, error.message)
    else if (!socket.errored) logger.error({ client, err: error }, 'cannot answer a request')
  } finally {
    socket.destroy()
  }
}

/** The requests in a stream, each without the four bytes that tell its length. */
async function* frames(socket: Socket): AsyncGenerator<Buffer> {
  let chunks: Buffer[] = []
  let held = 0
  for await (const chunk of socket) {
    chunks.push(chunk)
    held += chunk.length
    for (;;) {
      if (held < 4) break
      if (chunks[0]!.length < 4) chunks = [Buffer.concat(chunks)]
      const length = chunks[0]!.readInt32BE(0)
      if (length < 0 || length > MAX_REQUEST_BYTES) {
        throw new MalformedRequest(`a request of ${length} bytes; no Kafka client, it seems`)
      }
      if (held < 4 + length) break
      const bytes = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
      chunks = [bytes.subarray(4 + length)]
      held -= 4 + length
      yield bytes.subarray(4, 4 + length)
    }
  }
}
