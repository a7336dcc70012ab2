import { setImmediate as nextTurn } from 'node:timers/promises'
import { StartError } from '../../runtime/start-error.ts'
import { RecordReader } from '../codec/index.ts'
import { advance, type Fold, type PartitionState } from '../fold/index.ts'
import { isSameLog } from '../intake/index.ts'
import type { LogReader, Reading } from '../source/index.ts'
import type { Store } from '../store/index.ts'
import type { Part } from './plan.ts'

type RecordBatch = Reading['batches'][0]

export type Counter = {
  store: Store
  fold: Fold
  reader: Pick<LogReader, 'read'>
  nowMs: number
  /** Told after each commit. */
  onCommit(position: number): void
}

/**
 * Counts a partition's log anew, from where the store stands of it up to `part.to`.
 *
 * @throws StartError when it is another log than the store knows, or is deleted meanwhile.
 */
export async function countPart(counter: Counter, { begin, low, to }: Part): Promise<void> {
  const { store, reader } = counter
  const of = { topic: begin.topic, partition: begin.partition }
  const name = `${of.topic}/${of.partition}`
  let [state] = (await store.begin([begin])) as [PartitionState]
  await verify(counter, state, low)
  if (state.position < Math.min(low, to)) {
    state = await commit(counter, state, [], Math.min(low, to), Math.min(low, to) - state.position)
  }
  while (state.position < to) {
    const reading = await reader.read(of, state.position)
    if (!reading || reading.nextOffset <= state.position) {
      throw new StartError(
        `${name}: offset ${state.position} is gone from Kafka, or not there yet; start the rebuild again`,
      )
    }
    const next = Math.min(reading.nextOffset, to)
    const batches = reading.batches.flatMap((batch) => cutBefore(batch, to))
    while (state.position < next) state = await commit(counter, state, batches, next, 0)
  }
}

/** The last record that was counted must be the one that Kafka has there. */
async function verify({ reader }: Counter, state: PartitionState, low: number) {
  const { topic, partition, fingerprint } = state
  if (!fingerprint || fingerprint.offset < low) return
  const reading = await reader.read({ topic, partition }, fingerprint.offset)
  if (!reading || isSameLog(state, reading)) return
  throw new StartError(
    `${topic}/${partition}: record ${fingerprint.offset} is another than the one that was counted; say \`--from start\` to count what Kafka has now`,
  )
}

async function commit(
  { store, fold, nowMs, onCommit }: Counter,
  state: PartitionState,
  batches: readonly RecordBatch[],
  to: number,
  skipped: number,
): Promise<PartitionState> {
  const delta = fold.run(state, batches, to, skipped, nowMs)
  if ((await store.commit(delta)) === 'stale') {
    throw new StartError('another rebuild is writing here; let it finish')
  }
  onCommit(delta.to)
  await nextTurn()
  return advance(state, delta)
}

/** The batch as if it ended before offset `to`; whole where it does, or cannot be read. */
function cutBefore(batch: RecordBatch, to: number): RecordBatch[] {
  if (batch.lastOffset < to) return [batch]
  let records = 0
  let lastOffset = -1
  try {
    for (const reader = new RecordReader(batch); reader.next() && reader.offset < to; records++) {
      lastOffset = reader.offset
    }
  } catch {
    return [batch]
  }
  return records === 0 ? [] : [{ ...batch, lastOffset, recordCount: records }]
}
