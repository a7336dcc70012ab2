import { setTimeout as delay } from 'node:timers/promises'

/**
 * What `work` resolves with. Work that takes longer goes on, and nobody hears how it ends.
 *
 * @param what completes the sentence "… took longer than 5 s".
 * @throws Error when it takes longer than `deadlineMs`; what `work` throws before.
 */
export async function within<T>(work: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  const over = new AbortController()
  const late = delay(deadlineMs, undefined, { signal: over.signal }).then(() => {
    throw new Error(`${what} took longer than ${deadlineMs / 1_000} s`)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    over.abort()
  }
}
