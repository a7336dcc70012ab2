import { writeSync } from 'node:fs'
import { openSqliteStore } from '../../services/bridge/store/index.ts'
import { testDelta } from './test-delta.ts'

/** `node commit-loop.ts <folder>`: commits one event after the other, printing each position when it is durable, until killed. */

const DAY = Date.UTC(2026, 4, 1)
const STDOUT = 1

const store = openSqliteStore(process.argv[2]!)
await store.addStream('orders', DAY, 0)
const [state] = await store.begin([
  { topic: 'new_orders', partition: 0, incarnation: 1, stream: 'orders', start: 0 },
])
for (let from = state!.position; ; from++) {
  const sources = { a: { last: from + 1, gaps: [], seen: from } }
  const result = await store.commit(testDelta({ from, events: { [DAY]: 1 }, sources }))
  if (result !== 'committed') throw new Error(`${result} at ${from}`)
  writeSync(STDOUT, `${from + 1}\n`)
}
