import assert from 'node:assert/strict'
import { cpSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import pino from 'pino'
import { createPublisher } from '../../services/bridge/rollup/index.ts'
import { openSqliteStore } from '../../services/bridge/store/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'
import { makeKnown } from '../../services/bridge/streams-known.ts'
import { StartError } from '../../services/runtime/start-error.ts'
import { temporaryFolder } from '../harness/folder.ts'

/**
 * Data folders of every released schema, each written by its own release: `bridge/` and `lake/`. A new release adds
 * one: run its bridge over every kind of record, stop it, and put the two folders under fixtures/schema-<last migration>.
 */
const FIXTURES = join(import.meta.dirname, 'fixtures')
const NOW_MS = Date.UTC(2026, 4, 1, 13)

/** What must be the same after the migration: every table, in the columns that it had. */
function rowsOf(file: string, columnsOf?: Map<string, string[]>) {
  const database = new Database(file)
  database.defaultSafeIntegers(true)
  const tables = columnsOf
    ? [...columnsOf.keys()]
    : (database
        .prepare(
          "select name from sqlite_master where type = 'table' and name not like '\\_%' escape '\\' and name not like 'sqlite%'",
        )
        .pluck()
        .all() as string[])
  const columns = new Map(
    tables.map((table) => [
      table,
      columnsOf?.get(table) ??
        (database.prepare('select name from pragma_table_info(?)').pluck().all(table) as string[]),
    ]),
  )
  const rows = new Map(
    tables.map((table) => {
      const names = columns.get(table)!.map((name) => `"${name}"`)
      const order = names.map((_, i) => i + 1).join()
      return [
        table,
        database.prepare(`select ${names.join()} from "${table}" order by ${order}`).all(),
      ]
    }),
  )
  database.close()
  return { columns, rows }
}

for (const schema of globSync('schema-*', { cwd: FIXTURES }).sort()) {
  test(`a data folder of ${schema} starts with every number kept, and its files stay`, async () => {
    using folder = temporaryFolder()
    cpSync(join(FIXTURES, schema), folder.path, { recursive: true })
    const file = join(folder.path, 'bridge', 'bridge.db')
    const lake = join(folder.path, 'lake')
    const files = () =>
      globSync('**/*.{csv,json}', { cwd: lake })
        .sort()
        .map((path) => [path, readFileSync(join(lake, path), 'utf8')])
    const [before, filesBefore] = [rowsOf(file), files()]
    const store = openSqliteStore(join(folder.path, 'bridge'))
    await makeKnown(store, streams, NOW_MS)
    const errors: string[] = []
    const silent = pino({ level: 'silent' })
    const publisher = createPublisher(store, lake, silent, (target) => errors.push(target))
    for (const stream of streams) await publisher.publish(stream, -1, NOW_MS)
    const { series } = await store.snapshot()
    await store.end()
    assert.deepEqual(rowsOf(file, before.columns).rows, before.rows)
    assert.deepEqual(files(), filesBefore)
    assert.deepEqual(errors, [])
    assert.ok(series.length > 0)
  })
}

test('a store of a newer version is refused, and left as it is', async () => {
  using folder = temporaryFolder()
  await openSqliteStore(folder.path).end()
  const database = new Database(join(folder.path, 'bridge.db'))
  database.exec("insert into __drizzle_migrations (hash, created_at) values ('x', 9999999999999)")
  database.close()
  const before = readFileSync(join(folder.path, 'bridge.db'))
  assert.throws(
    () => openSqliteStore(folder.path),
    (error) => error instanceof StartError && /was written by a newer version/.test(error.message),
  )
  assert.deepEqual(readFileSync(join(folder.path, 'bridge.db')), before)
})
