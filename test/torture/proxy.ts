import { connect, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

/** A way to a TCP port on 127.0.0.1 that can be broken. */
export type TcpProxy = {
  /** Ends all connections, and those that come, for this long. */
  cut(forMs: number): Promise<void>
  /** Lets nothing through for this long; connections stay, and what was sent arrives afterwards. */
  stall(forMs: number): Promise<void>
} & AsyncDisposable

type Pair = { near: Socket; far: Socket }

/** Listens on `port` and passes everything on to `target`. */
export async function startProxy(port: number, target: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>()
  let isCut = false
  let isStalled = false

  const server = createServer((near) => {
    if (isCut) return void near.resetAndDestroy()
    const pair = { near, far: connect(target, '127.0.0.1') }
    pairs.add(pair)
    for (const [socket, other] of [
      [pair.near, pair.far],
      [pair.far, pair.near],
    ] as const) {
      socket.setNoDelay()
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        pairs.delete(pair)
        other.destroy()
      })
    }
    if (!isStalled) join(pair)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const endAll = () => {
    for (const { near, far } of pairs) {
      near.resetAndDestroy()
      far.resetAndDestroy()
    }
  }
  return {
    async cut(forMs) {
      isCut = true
      endAll()
      await delay(forMs)
      isCut = false
    },
    async stall(forMs) {
      isStalled = true
      for (const { near, far } of pairs) {
        near.unpipe()
        far.unpipe()
      }
      await delay(forMs)
      isStalled = false
      for (const pair of pairs) join(pair)
    },
    [Symbol.asyncDispose]: async () => {
      endAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function join({ near, far }: Pair) {
  near.pipe(far)
  far.pipe(near)
}
