import { join } from 'node:path'
import type { RecordBatch } from '../../services/bridge/codec/index.ts'
import { advance, createFold } from '../../services/bridge/fold/index.ts'
import { openLogReader } from '../../services/bridge/source/index.ts'
import { openSqliteStore } from '../../services/bridge/store/index.ts'
import type { StreamDefinition } from '../../services/bridge/streams/index.ts'
import { connect } from '../broker/clients.ts'

/**
 * Counts partition 0 of the stream's topic up to its end, as a bridge of another time would have: with its definition,
 * and with what it saw of each batch. The real one is stopped.
 */
export async function countAs(
  brokers: string,
  dataDir: string,
  stream: StreamDefinition,
  seen: (batch: RecordBatch) => RecordBatch = (batch) => batch,
) {
  const store = openSqliteStore(join(dataDir, 'bridge'))
  const reader = openLogReader(connect(brokers))
  const fold = createFold(stream)
  try {
    let state = (await store.partition(stream.topic, 0))!
    for (;;) {
      const { batches, nextOffset } = (await reader.read(state, state.position))!
      if (nextOffset === state.position) return
      const delta = fold.run(state, batches.map(seen), nextOffset, 0, Date.now())
      await store.commit(delta)
      state = advance(state, delta)
    }
  } finally {
    await reader.disconnect()
    await store.end()
  }
}
