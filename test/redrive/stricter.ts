import { join } from 'node:path'
import { advance, createFold } from '../../services/bridge/fold/index.ts'
import { openLogReader } from '../../services/bridge/source/index.ts'
import { openSqliteStore } from '../../services/bridge/store/index.ts'
import { connect } from '../broker/clients.ts'
import { strictOrders } from './strict.ts'

/** Counts partition 0 of `new_orders` up to its end as a bridge with the stricter definition would have; the real one is stopped. */
export async function countStrictly(brokers: string, dataDir: string) {
  const store = openSqliteStore(join(dataDir, 'bridge'))
  const reader = openLogReader(connect(brokers))
  const fold = createFold(strictOrders)
  try {
    let state = (await store.partition(strictOrders.topic, 0))!
    for (;;) {
      const { batches, nextOffset } = (await reader.read(state, state.position))!
      if (nextOffset === state.position) return
      const delta = fold.run(state, batches, nextOffset, 0, Date.now())
      await store.commit(delta)
      state = advance(state, delta)
    }
  } finally {
    await reader.disconnect()
    await store.end()
  }
}
