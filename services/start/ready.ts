import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { StartError } from '../runtime/start-error.ts'
import type { Address } from '../settings/settings.ts'
import type { Service } from './service.ts'

const READY_DEADLINE_MS = 30_000
const POLL_MS = 30

/** Where a client on this machine reaches what listens at `address`: `host:port`. */
export function reachedAt({ host, port }: Address): string {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return name.includes(':') ? `[${name}]:${port}` : `${name}:${port}`
}

/**
 * Waits until `problem` finds none.
 *
 * @param problem why the service is not ready yet; undefined when it is.
 * @throws StartError with the service's own sentence when it ends before, or with the last problem when it takes too long.
 */
export async function untilReady(service: Service, problem: () => Promise<string | undefined>) {
  let over: string | undefined
  service.ended.then((ended) => (over = ended.why))
  const deadline = performance.now() + READY_DEADLINE_MS
  for (;;) {
    const why = await problem()
    if (over !== undefined) throw new StartError(`${service.name}: ${over}`)
    if (why === undefined) return
    if (performance.now() > deadline) {
      throw new StartError(
        `${service.name} is not ready after ${READY_DEADLINE_MS / 1000} s: ${why}`,
      )
    }
    await delay(POLL_MS)
  }
}

/** Whether a port answers. @returns the error, if any. */
export async function portProblem(address: Address): Promise<string | undefined> {
  const { hostname, port } = new URL(`http://${reachedAt(address)}`)
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) })
  try {
    await once(socket, 'connect')
    return undefined
  } catch (error) {
    return (error as Error).message
  } finally {
    socket.destroy()
  }
}

/** Whether `url` answers 200. @returns what it answered, or the error. */
export async function urlProblem(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(READY_DEADLINE_MS) })
    const text = await response.text()
    return response.ok ? undefined : text.trim() || `${url} answers ${response.status}`
  } catch (error) {
    const { cause, message } = error as Error & { cause?: Error }
    return cause?.message ?? message
  }
}
