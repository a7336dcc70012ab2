import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { openSqliteStore } from '../../services/bridge/store/index.ts'
import { StartError } from '../../services/runtime/start-error.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { testLetters } from './letters-contract.ts'
import { type Inspection, type StoreAdapter, testStore } from './store-contract.ts'
import { testDelta } from './test-delta.ts'

const adapter: StoreAdapter = { open: async (place) => openSqliteStore(place), inspect }
testStore('SQLite', adapter)
testLetters('SQLite', adapter)

function inspect(place: string): Inspection {
  const database = new Database(join(place, 'bridge.db'), { readonly: true })
  const sums = (table: string) =>
    new Map(
      database
        .prepare(`select "column", sum(value) from ${table} group by "column"`)
        .safeIntegers()
        .raw()
        .all() as [string, bigint][],
    )
  const deadLetters = database
    .prepare(
      'select topic, partition, "offset", reason, key, value, value_bytes as valueBytes from dead_letters order by id',
    )
    .all() as Inspection['deadLetters']
  const inspection = { baselines: sums('baselines'), minutes: sums('minutes'), deadLetters }
  database.close()
  return inspection
}

test('kill -9 amid commits: what was acknowledged is there, whole, and at most one more', async () => {
  using folder = temporaryFolder()
  for (const acknowledgements of [1, 40, 90]) {
    const acknowledged = await commitUntilKilled(folder.path, acknowledgements)
    const store = openSqliteStore(folder.path)
    const { position, sources } = (await store.partition('new_orders', 0))!
    assert.ok(
      position === acknowledged || position === acknowledged + 1,
      `${acknowledged} ${position}`,
    )
    const { series, partitions } = await store.snapshot()
    const orders = series.find(({ measure }) => measure === 'shop_orders_total')
    assert.equal(orders?.value, BigInt(position))
    assert.equal(partitions[0]?.accepted, position)
    assert.equal(sources.get('a')?.last, position)
    assert.equal(inspect(folder.path).minutes.get('total_orders_num'), BigInt(position))
    await store.end()
  }
})

/** @returns the last position that a committing process said to be durable before it was killed. */
async function commitUntilKilled(place: string, acknowledgements: number): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'commit-loop.ts'), place], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  let acknowledged = -1
  let seen = 0
  for await (const line of createInterface(child.stdout)) {
    acknowledged = Number(line)
    if (++seen === acknowledgements) child.kill('SIGKILL')
  }
  await exited
  assert.equal(child.signalCode, 'SIGKILL')
  return acknowledged
}

test('what is no database is refused with its path, the reason and the mend', () => {
  using folder = temporaryFolder()
  writeFileSync(
    join(folder.path, 'bridge.db'),
    'this is a text, not a database, and long enough '.repeat(40),
  )
  assert.throws(
    () => openSqliteStore(folder.path),
    (error) =>
      error instanceof StartError &&
      /the store .*bridge\.db is damaged \(file is not a database\); count it anew with `npm run meterbridge -- rebuild --swap`/.test(
        error.message,
      ),
  )
})

test('a damaged database is refused with what was found and how to count it anew', async () => {
  using folder = temporaryFolder()
  const store = openSqliteStore(folder.path)
  await store.addStream('orders', 0, 0)
  await store.begin([
    { topic: 'new_orders', partition: 0, incarnation: 1, stream: 'orders', start: 0 },
  ])
  const events = Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [i * 60_000, 1]))
  await store.commit(testDelta({ from: 0, events }))
  await store.end()
  const file = openSync(join(folder.path, 'bridge.db'), 'r+')
  writeSync(file, Buffer.alloc(4_096, 0xa5), 0, 4_096, 40 * 4_096)
  closeSync(file)
  assert.throws(
    () => openSqliteStore(folder.path),
    (error) =>
      error instanceof StartError &&
      /bridge\.db is damaged \(.+\); .*rebuild --swap/.test(error.message),
  )
})

test('a place where no database can be is refused the same way', () => {
  using folder = temporaryFolder()
  mkdirSync(join(folder.path, 'bridge.db'))
  assert.throws(() => openSqliteStore(folder.path), StartError)
})

test('commits are written ahead, so that reading never waits for them', () => {
  using folder = temporaryFolder()
  const store = openSqliteStore(folder.path)
  const database = new Database(join(folder.path, 'bridge.db'), { readonly: true })
  assert.equal(database.pragma('journal_mode', { simple: true }), 'wal')
  database.close()
  return store.end()
})
