import { join } from 'node:path'
import { openSqliteStore } from '../../services/bridge/store/index.ts'

const KEY = { topic: 'web_requests', partition: 0, incarnation: 1 }
const STREAM = 'requests'

/** Makes a bridge's store below `dataDir` that holds `count` series, as counted from many different routes. */
export async function fillStore(dataDir: string, count: number) {
  const store = openSqliteStore(join(dataDir, 'bridge'))
  await store.addStream(STREAM, 0, 0)
  await store.begin([{ ...KEY, stream: STREAM, start: 0 }])
  const result = await store.commit({
    key: KEY,
    stream: STREAM,
    from: 0,
    to: 0,
    fingerprint: undefined,
    previousTimeMs: 0,
    maxTimeMs: -1,
    counts: {
      accepted: 0,
      rejected: 0,
      duplicate: 0,
      undelivered: 0,
      skipped: 0,
      lost: 0,
      recovered: 0,
    },
    rejected: {},
    series: Array.from({ length: count }, (_, index) => ({
      measure: 'web_requests_total',
      labels: JSON.stringify({ route: `/product/${index}`, method: 'GET', code: '200' }),
      value: BigInt(index * 37 + 1),
    })),
    minutes: [],
    future: 0,
    deadLetters: [],
    evicted: 0,
    losses: [],
    sources: [],
    forgetSources: false,
  })
  await store.end()
  if (result !== 'committed') throw new Error(`the store could not be filled: ${result}`)
}
