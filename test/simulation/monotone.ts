import assert from 'node:assert/strict'
import type { Snapshot } from '../../services/bridge/store/index.ts'

/** Sees that nothing that was ever shown goes back, whatever happens between two looks. */
export class Monotone {
  readonly #seen = new Map<string, bigint>()

  see({ series, partitions, streams, rejected, evicted }: Snapshot) {
    const shown = new Set<string>()
    const see = (name: string, value: bigint | number) => {
      shown.add(name)
      const before = this.#seen.get(name)
      assert.ok(
        before === undefined || value >= before,
        `${name} went back from ${before} to ${value}`,
      )
      this.#seen.set(name, BigInt(value))
    }
    for (const { measure, labels, value } of series) see(`${measure} ${labels}`, value)
    for (const { partition, position: _, maxTimeMs: __, ...counts } of partitions)
      seeAll(partition, counts, see)
    for (const { stream, ...counts } of streams) seeAll(stream, counts, see)
    for (const { reason, records } of rejected) see(`rejected ${reason}`, records)
    for (const { topic, letters } of evicted) see(`evicted ${topic}`, letters)
    for (const name of this.#seen.keys()) assert.ok(shown.has(name), `${name} is gone`)
  }
}

function seeAll(of: string | number, counts: object, see: (name: string, value: number) => void) {
  for (const [name, value] of Object.entries(counts)) {
    if (typeof value === 'number') see(`${name} of ${of}`, value)
  }
}
