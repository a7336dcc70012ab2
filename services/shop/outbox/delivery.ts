import type { NumberedRow } from './numbering.ts'
import { invalidTimestamp, refusalOf } from './refusal.ts'

const HOUR_MS = 3_600_000
/**
 * How far back a record is stamped when Kafka refuses its time: now; or earlier, for it may be our clock that is
 * ahead. Not beyond the 7 days for which topics usually keep records: it would be deleted at once.
 */
const STAMPED_BACK_MS = [0, 2 * HOUR_MS, 24 * HOUR_MS, 6 * 24 * HOUR_MS]

export type DeliverySteps = {
  /** Resolves when Kafka has all of `rows`. @param stampedMs the record timestamp; by default the event time, or now if that is earlier. */
  send(rows: NumberedRow[], stampedMs?: number): Promise<void>
  acknowledged(rows: NumberedRow[]): Promise<void>
  refused(row: NumberedRow, rest: NumberedRow[], error: string): Promise<void>
  now(): number
}

/**
 * Sends the rows of one partition in order. When Kafka refuses them for what they are, halves are sent, and
 * halves of those, until the rows to blame stand alone: those are resent with another timestamp where that
 * was the fault, or set aside. The others arrive.
 *
 * @throws whatever else `send` throws; the rows not yet acknowledged stay in the outbox.
 */
export async function deliver(rows: NumberedRow[], steps: DeliverySteps): Promise<void> {
  /** The stamp that Kafka took for one of these rows; probably it does for the others, too. */
  let goodBackMs: number | undefined

  const deliverPart = async (from: number, to: number): Promise<void> => {
    const part = rows.slice(from, to)
    let refusal = await attempt(part)
    if (refusal && invalidTimestamp(refusal) && goodBackMs !== undefined) {
      refusal = await attempt(part, steps.now() - goodBackMs)
    }
    if (!refusal) return
    if (part.length === 1) return deliverAlone(from, refusal)
    const middle = from + Math.ceil(part.length / 2)
    await deliverPart(from, middle)
    await deliverPart(middle, to)
  }

  const deliverAlone = async (index: number, refusal: Error) => {
    const row = rows[index]!
    let last = refusal
    for (const backMs of STAMPED_BACK_MS) {
      if (!invalidTimestamp(last)) break
      const next = await attempt([row], steps.now() - backMs)
      if (!next) {
        goodBackMs = backMs
        return
      }
      last = next
    }
    await steps.refused(row, rows.slice(index + 1), last.message)
  }

  /** Undefined: delivered. */
  const attempt = async (part: NumberedRow[], stampedMs?: number): Promise<Error | undefined> => {
    try {
      await steps.send(part, stampedMs)
    } catch (error) {
      const refusal = refusalOf(error)
      if (refusal) return refusal
      throw error
    }
    await steps.acknowledged(part)
    return undefined
  }

  await deliverPart(0, rows.length)
}
