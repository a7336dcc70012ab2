import { setTimeout as delay } from 'node:timers/promises'

/** Does `work`, then waits, again and again until `signal` aborts. @throws what `work` throws. */
export async function every(periodMs: number, signal: AbortSignal, work: () => Promise<void>) {
  while (!signal.aborted) {
    await work()
    await delay(periodMs, undefined, { signal }).catch(() => {})
  }
}
