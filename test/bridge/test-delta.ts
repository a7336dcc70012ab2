import type { DeadLetter, Delta, Redrive, SourceState } from '../../services/bridge/fold/index.ts'

export const PREPAID = '{"payment":"prepaid"}'

export type TestDelta = {
  partition?: number
  incarnation?: number
  from: number
  /** Events by the start of their minute (ms), each worth `price`. */
  events?: Record<number, number>
  price?: bigint
  duplicate?: number
  undelivered?: number
  skipped?: number
  lost?: number
  recovered?: number
  future?: number
  deadLetters?: DeadLetter[]
  evicted?: number
  sources?: Record<string, SourceState>
  forgetSources?: boolean
  fingerprint?: Delta['fingerprint']
  maxTimeMs?: number
}

/** A delta of the stream `orders` in which all numbers agree. */
export function testDelta(given: TestDelta): Delta {
  const { events = {}, price = 1n, deadLetters = [], evicted = 0, from } = given
  const { duplicate = 0, undelivered = 0, skipped = 0, lost = 0, recovered = 0 } = given
  const accepted = Object.values(events).reduce((sum, count) => sum + count, 0)
  const rejected = deadLetters.reduce((sum, { records }) => sum + records, 0) + evicted
  const rejectedBy: Delta['rejected'] = {}
  for (const { reason, records } of deadLetters)
    rejectedBy[reason] = (rejectedBy[reason] ?? 0) + records
  if (evicted > 0) rejectedBy.json = (rejectedBy.json ?? 0) + evicted
  const orders = (count: number) => [
    { column: 'total_orders_num', value: BigInt(count) },
    { column: 'total_orders_price', value: BigInt(count) * price },
  ]
  return {
    key: {
      topic: 'new_orders',
      partition: given.partition ?? 0,
      incarnation: given.incarnation ?? 1,
    },
    stream: 'orders',
    from,
    to: from + accepted + rejected + duplicate + undelivered + skipped,
    fingerprint: given.fingerprint,
    previousTimeMs: 0,
    maxTimeMs: given.maxTimeMs ?? -1,
    counts: { accepted, rejected, duplicate, undelivered, skipped, lost, recovered },
    rejected: rejectedBy,
    series:
      accepted === 0
        ? []
        : [
            { measure: 'shop_orders_total', labels: PREPAID, value: BigInt(accepted) },
            { measure: 'shop_order_value_total', labels: PREPAID, value: BigInt(accepted) * price },
          ],
    minutes: Object.entries(events).map(([minuteMs, count]) => ({
      minuteMs: Number(minuteMs),
      events: count,
      columns: orders(count),
    })),
    future: given.future ?? 0,
    deadLetters,
    evicted,
    losses: [],
    sources: Object.entries(given.sources ?? {}).map(([source, state]) => ({ source, state })),
    forgetSources: given.forgetSources ?? false,
  }
}

export function testLetter(offset: number, given: Partial<DeadLetter> = {}): DeadLetter {
  return {
    offset,
    records: 1,
    reason: 'json',
    detail: 'not JSON',
    timestampMs: -1,
    key: null,
    value: Buffer.from('no'),
    valueBytes: 2,
    hash: '00',
    ...given,
  }
}

/** What driving one order of 1 May 2026 through again adds, judged at position `at`. */
export function testRedrive(at: number, changes: Partial<Redrive> = {}): Redrive {
  return {
    key: { topic: 'new_orders', partition: 0, incarnation: 1 },
    stream: 'orders',
    at,
    records: 1,
    duplicates: 0,
    lost: 0,
    recovered: 0,
    series: [{ measure: 'shop_orders_total', labels: PREPAID, value: 1n }],
    minutes: [
      {
        minuteMs: Date.UTC(2026, 4, 1),
        events: 1,
        columns: [{ column: 'total_orders_num', value: 1n }],
      },
    ],
    future: 0,
    sources: [],
    ...changes,
  }
}
