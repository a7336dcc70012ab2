import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { openSqliteStore, type Store } from '../../services/bridge/store/index.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { testDelta, testLetter } from './test-delta.ts'

const DAY = Date.UTC(2026, 4, 1)
const DAY_MS = 86_400_000
/** SQLite's number for `synchronous=FULL`: a commit is on the disk before it is answered. */
const FULL = 2n

test('a commit is on the disk before it is answered', async () => {
  // Each connection is asked itself: the setting is stored nowhere.
  const connections = new Set<Database.Database>()
  const { prototype } = Database as unknown as { prototype: Database.Database }
  const { prepare } = prototype
  prototype.prepare = function (this: Database.Database, source: string) {
    connections.add(this)
    return prepare.call(this, source)
  } as typeof prepare
  using folder = temporaryFolder()
  const store = openSqliteStore(folder.path)
  prototype.prepare = prepare
  const settings = [...connections].map((one) =>
    BigInt(one.pragma('synchronous', { simple: true }) as bigint),
  )
  await store.end()
  assert.deepEqual(settings, [FULL])
})

const HALFWAY: { call: string; breaksAt: string; work(store: Store): Promise<unknown> }[] = [
  {
    call: 'commit',
    breaksAt: 'insert on late_minutes',
    work: (store) => {
      const sources = { a: { last: 1, gaps: [], seen: 1 } }
      const deadLetters = [testLetter(9)]
      return store.commit(testDelta({ from: 2, events: { [DAY]: 1 }, sources, deadLetters }))
    },
  },
  {
    call: 'close',
    breaksAt: 'update on streams',
    work: (store) => store.close('orders', DAY + 2 * DAY_MS),
  },
  {
    call: 'written',
    breaksAt: 'delete on pending_days',
    work: async (store) => store.written(await store.day('orders', DAY + DAY_MS)),
  },
  {
    call: 'seal',
    breaksAt: 'update on streams',
    work: (store) => store.seal('orders', DAY + DAY_MS),
  },
]
for (const { call, breaksAt, work } of HALFWAY) {
  test(`a ${call} that breaks half way changes nothing, and goes through when it is tried again`, async () => {
    using folder = temporaryFolder()
    const store = openSqliteStore(folder.path)
    await prepare(store)
    const database = new Database(join(folder.path, 'bridge.db'))
    const before = rowsOf(database)
    database.exec(
      `create trigger breaks before ${breaksAt} begin select raise(abort, 'broken'); end`,
    )
    await assert.rejects(work(store), /broken/)
    assert.deepEqual(rowsOf(database), before)
    database.exec('drop trigger breaks')
    await work(store)
    assert.notDeepEqual(rowsOf(database), before)
    database.close()
    await store.end()
  })
}

/** Two closed days: the first written, the second waiting with a late event. */
async function prepare(store: Store) {
  await store.addStream('orders', DAY, DAY - DAY_MS)
  await store.begin([
    { topic: 'new_orders', partition: 0, incarnation: 1, stream: 'orders', start: 0 },
  ])
  await store.commit(testDelta({ from: 0, events: { [DAY]: 1 } }))
  await store.close('orders', DAY + DAY_MS)
  await store.written(await store.day('orders', DAY))
  await store.commit(testDelta({ from: 1, events: { [DAY + DAY_MS]: 1 } }))
}

/** Every row of every table. */
function rowsOf(database: Database.Database): Record<string, unknown[]> {
  const tables = database
    .prepare<[], { name: string }>("select name from sqlite_master where type = 'table'")
    .all()
  return Object.fromEntries(
    tables.map(({ name }) => [name, database.prepare(`select * from "${name}"`).all()]),
  )
}
