import assert from 'node:assert/strict'
import type { Store } from '../../services/bridge/store/index.ts'
import { compareCounters, compareMinutes, compareSources } from './compare.ts'
import { Monotone } from './monotone.ts'
import type { Attempt } from './process.ts'
import type { ReferenceStream } from './reference-stream.ts'
import { openTables, type Tables } from './tables.ts'
import type { Log } from './topic.ts'

/** What may have become durable in a step, whether it crashed or not. */
export type Possible = {
  begun?: Log
  attempt?: Attempt
  closedMs?: number
  sealedBeforeMs?: number
}

/** Looks at the database after each step: what was done is one of what was possible, and equals the reference. */
export class Witness implements Disposable {
  readonly #tables: Tables
  readonly #reference: ReferenceStream
  readonly #monotone = new Monotone()

  constructor(folder: string, reference: ReferenceStream) {
    this.#tables = openTables(folder)
    this.#reference = reference
  }

  /** Follows what became durable with the reference, and compares all that is counted. */
  async look(store: Store, possible: Possible) {
    this.#follow(possible)
    const snapshot = await store.snapshot()
    this.#monotone.see(snapshot)
    compareCounters(snapshot, this.#reference)
    compareMinutes(this.#tables, snapshot, this.#reference)
    compareSources(this.#tables, this.#reference)
  }

  #follow({ begun, attempt, closedMs = -1, sealedBeforeMs = -1 }: Possible) {
    const reference = this.#reference
    for (const { key, start, position } of this.#tables.partitions.all()) {
      if (!reference.folds.has(key)) {
        assert.ok(begun && key === keyOf(begun), `${key} begins by itself`)
        assert.equal(start, begun.low, 'a partition starts at its low offset')
        reference.begin(key, start)
      }
      if (position === reference.folds.get(key)!.position) continue
      assert.ok(attempt && key === keyOf(attempt.log), `the position of ${key} moves by itself`)
      const { log, delta, low, nowMs } = attempt
      assert.equal(
        delta.from,
        reference.folds.get(key)!.position,
        `${key}: applied where it does not follow`,
      )
      assert.equal(position, delta.to, `${key}: the position is another than committed`)
      reference.read(key, log.batches, delta.to, low, nowMs)
    }
    const stream = this.#tables.stream.get()!
    if (stream.closedMs !== reference.closedMs) {
      assert.equal(stream.closedMs, closedMs, 'another minute closed than can be')
      reference.closedMs = closedMs
    }
    if (stream.sealedBeforeMs === reference.sealedBeforeMs) return
    assert.equal(stream.sealedBeforeMs, sealedBeforeMs, 'other days are sealed than can be')
    reference.seal(sealedBeforeMs)
  }

  [Symbol.dispose]() {
    this.#tables.close()
  }
}

export function keyOf({ partition, incarnation }: Log): string {
  return `${partition}/${incarnation}`
}
