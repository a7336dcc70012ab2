import type { LogBatch } from '../bridge/reference-fold.ts'

/** A log of one order per batch, each in the minute after the one before; the last at `lastMs`. */
export function smallLog(orders: number, lastMs: number): LogBatch[] {
  return Array.from({ length: orders }, (_, offset) => ({
    ...{ first: offset, last: offset, damaged: false },
    records: [
      {
        offset,
        order: { amount: offset + 1, price: 10, paid: offset % 2 === 0 },
        timestampMs: lastMs - (orders - 1 - offset) * 60_000,
        headerTime: undefined,
        number: { source: 'shop', sequence: offset + 1, previous: undefined },
      },
    ],
  }))
}
