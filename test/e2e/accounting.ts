import assert from 'node:assert/strict'
import Database from 'better-sqlite3'
import type { RunningBridge } from './running-bridge.ts'

/** Position less start is what became of the records, in each partition. */
export function assertAccounted({ dataDir }: RunningBridge) {
  const database = new Database(`${dataDir}/bridge/bridge.db`, { readonly: true })
  const wrong = database
    .prepare(
      'select * from partitions where position - start <> accepted + rejected + duplicate + undelivered + skipped',
    )
    .all()
  const read = database.prepare('select count(*) from partitions where position > start')
  assert.deepEqual(wrong, [])
  assert.notEqual(read.pluck().get(), 0)
  database.close()
}
