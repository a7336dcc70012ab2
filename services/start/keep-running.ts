import { setTimeout as delay } from 'node:timers/promises'
import { RESTARTABLE } from '../runtime/exit-codes.ts'
import type { Ended, Service } from './service.ts'

const FIRST_DELAY_MS = 1_000
/** Short enough to count again within 15 s of Kafka's return, however long it was away. */
const MAX_DELAY_MS = 5_000
/** Who ran this long and ends has a new trouble: it is started again soon. */
const STEADY_MS = 60_000

/**
 * Starts a service again whenever it ended in a way that a fresh start mends, later each time.
 *
 * @param say takes one line for each end.
 * @returns how it ended when a fresh start does not mend that, or after `signal` aborted.
 */
export async function keepRunning(
  first: Service,
  startAgain: () => Service,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<Ended> {
  let service = first
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
    const startedMs = performance.now()
    const ended = await service.ended
    if (signal.aborted || !RESTARTABLE.includes(ended.exitCode ?? 0)) return ended
    if (performance.now() - startedMs > STEADY_MS) delayMs = FIRST_DELAY_MS
    say(`start: ${service.name}: ${ended.why}; starting it again in ${delayMs / 1_000} s`)
    await delay(delayMs, undefined, { signal }).catch(() => {})
    if (signal.aborted) return ended
    service = startAgain()
  }
}
