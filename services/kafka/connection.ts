import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import kafkajs from 'kafkajs'
import { within } from '../runtime/deadline.ts'

/**
 * Mends how connections end in kafkajs 2.2.4 (src/network/connection.js), which must be pinned. There, a request that
 * is sent in the moment in which a connection breaks is never answered, refused or timed out, and whoever sent it
 * (such as a consumer's fetch) waits for ever; half an answer is kept and put before the first answer of the next
 * connection; two requests at once open two connections, of which one is forgotten and later takes the other down.
 */

type Connection = {
  connect(): Promise<boolean>
  disconnect(): Promise<boolean>
  isConnected(): boolean
  broker: string
  connectionStatus: 'connected' | 'disconnecting' | 'disconnected'
  authenticatedAt: unknown
  socket: Socket | undefined
  chunks: Buffer[]
  bytesBuffered: number
  bytesNeeded: number
  requestQueue: {
    waitForPendingRequests(): Promise<void>
    rejectAll(error: Error): void
    destroy(): void
  }
}

/** Every answer begins with its length. */
const LENGTH_BYTES = 4
/** A connection that is closed on purpose waits this long for the answers that are under way. */
const LAST_ANSWERS_MS = 2_000

const require = createRequire(import.meta.url)
const { prototype } = require('kafkajs/src/network/connection') as { prototype: Connection }
const open = prototype.connect
const opening = new WeakMap<Connection, Promise<boolean>>()
const closing = new WeakMap<Connection, Promise<boolean>>()

prototype.connect = function () {
  return once(opening, this, async () => {
    await closing.get(this)
    if (this.isConnected()) return true
    this.chunks = []
    this.bytesBuffered = 0
    this.bytesNeeded = LENGTH_BYTES
    return open.call(this).catch((error) => {
      if (this.socket) retire(this.socket)
      throw error
    })
  })
}

prototype.disconnect = function () {
  // Who gives up an attempt that failed must not take down the next one, which others wait for.
  if (opening.has(this) && !this.isConnected()) return Promise.resolve(true)
  return once(closing, this, () => close(this))
}

async function close(connection: Connection): Promise<boolean> {
  const { requestQueue, socket, broker } = connection
  connection.authenticatedAt = null
  connection.connectionStatus = 'disconnecting'
  await within(requestQueue.waitForPendingRequests(), LAST_ANSWERS_MS, 'it').catch(() => {})
  connection.connectionStatus = 'disconnected'
  requestQueue.rejectAll(new kafkajs.KafkaJSConnectionError('Closed connection', { broker }))
  requestQueue.destroy()
  if (socket) retire(socket)
  return true
}

/** What a socket still says is about a connection that is no more. */
function retire(socket: Socket) {
  socket.removeAllListeners()
  socket.on('error', () => {})
  socket.end(() => socket.destroy())
  socket.unref()
}

/** The same work for all who ask for it while it is done. */
function once(
  under: WeakMap<Connection, Promise<boolean>>,
  connection: Connection,
  work: () => Promise<boolean>,
): Promise<boolean> {
  const begun = under.get(connection)
  if (begun) return begun
  const done = work().finally(() => under.delete(connection))
  under.set(connection, done)
  return done
}
