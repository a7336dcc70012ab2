import { createDecoder, type RecordBatch } from '../codec/index.ts'
import type { StreamDefinition } from '../streams/index.ts'
import type { Delta, PartitionState, Redrive } from './delta.ts'
import { type RedriveOptions, redrive, type Stays } from './redrive.ts'
import { Run } from './run.ts'
import { nextSources } from './sequence.ts'
import { createLayout, type Layout } from './sums.ts'

export type Fold = {
  stream: StreamDefinition
  layout: Layout
  /**
   * Folds a run of batches of one partition, in order, into a delta. Records below the position are passed
   * over. `to` is the next offset to read behind the run; `skipped` says how many of the offsets at its start
   * are gone from Kafka; `nowMs` is the clock's. A run that is too much for one delta ends before: `delta.to` is
   * then below `to`, and the same batches go on from there. Pure: the same arguments give the same delta.
   */
  run(
    state: PartitionState,
    batches: readonly RecordBatch[],
    to: number,
    skipped: number,
    nowMs: number,
  ): Delta
  /** Timestamps (ms, -1: none) of the records that the last `run` accepted; valid until the next. */
  acceptedTimestamps(): Float64Array
  /** Judges a dead letter of this state's partition once more; `batch` holds its offset, read again. Pure as `run`. */
  redrive(
    letter: RedriveOptions['letter'],
    batch: RecordBatch,
    state: PartitionState,
    nowMs: number,
  ): Redrive | Stays
}

export function createFold(stream: StreamDefinition): Fold {
  const layout = createLayout(stream)
  const decode = createDecoder(stream)
  let timestamps = new Float64Array(1024)
  let accepted = 0
  return {
    stream,
    layout,
    run: (state, batches, to, skipped, nowMs) => {
      const run = new Run({ stream, layout, decode, state, skipped, nowMs, timestamps })
      const cutAt = run.batches(batches)
      accepted = run.accepted
      timestamps = run.timestamps
      return run.finish(cutAt ?? Math.max(to, state.position))
    },
    acceptedTimestamps: () => timestamps.subarray(0, accepted),
    redrive: (letter, batch, state, nowMs) =>
      redrive({ stream, layout, decode, letter, batch, state, nowMs }),
  }
}

/** The state after a delta was committed. */
export function advance(state: PartitionState, delta: Delta): PartitionState {
  return {
    ...state,
    position: delta.to,
    fingerprint: delta.fingerprint,
    previousTimeMs: delta.previousTimeMs,
    sources: nextSources(state.sources, delta),
  }
}
