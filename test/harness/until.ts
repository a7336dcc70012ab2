import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 20

/**
 * Waits until `check` returns something other than undefined, null or false, and returns that.
 * An error thrown by `check` counts as 'not yet' and is told if the deadline passes.
 *
 * @throws Error naming `what` when `deadlineMs` have passed.
 */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  deadlineMs = 15_000,
): Promise<NonNullable<T>> {
  const end = performance.now() + deadlineMs
  let last: unknown
  for (;;) {
    try {
      const value = await check()
      if (value !== undefined && value !== null && value !== false) return value
      last = value
    } catch (error) {
      last = error
    }
    if (performance.now() > end) {
      throw new Error(`not within ${deadlineMs} ms: ${what} (last: ${String(last)})`, {
        cause: last,
      })
    }
    await delay(POLL_MS)
  }
}
