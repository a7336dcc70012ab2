import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { isLocked } from '../runtime/lock.ts'
import type { ServiceName } from './service.ts'

/** After a kill -9 of `npm start` its services notice, and end within 10 s. */
const WAIT_MS = 10_000
const POLL_MS = 50

/**
 * Waits a while for services of an earlier `npm start` that are about to end; each holds its folder until it has
 * closed its port. Who stays longer is told of when the service is started.
 *
 * @param names the services that are to be started now.
 * @param say takes one line, where there is something to wait for.
 */
export async function untilPredecessorsEnded(
  dataDir: string,
  names: ServiceName[],
  say: (line: string) => void,
) {
  const holding = () => names.filter((name) => isLocked(join(dataDir, name)))
  const deadline = performance.now() + WAIT_MS
  for (let told = false; performance.now() < deadline; told = true) {
    const held = holding()
    if (held.length === 0) return
    if (!told) say(`start: waiting for what still uses ${dataDir} to end: ${held.join(', ')}`)
    await delay(POLL_MS)
  }
}
