import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { StartError } from '../../services/runtime/start-error.ts'
import { LOG_NOW_MS } from '../bridge/random-log.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { smallLog } from './small-logs.ts'
import { publishedBy, World } from './world.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const YESTERDAY_MS = LOG_NOW_MS - DAY_MS
const FILES = ['2026-04-30', '2026-05-01'].map(
  (date) => `manifests/orders/dt=${date}/manifest.json`,
)

/** Two partitions of ten orders each, one yesterday, one just now: all counted and published. */
async function published(): Promise<World> {
  const world = new World([smallLog(10, YESTERDAY_MS), smallLog(10, LOG_NOW_MS - 2 * MINUTE_MS)])
  await world.bridge(async (store) => {
    for (const partition of [0, 1]) await world.count(store, partition)
    await world.publish(store, LOG_NOW_MS - MINUTE_MS)
  })
  return world
}

const WRONG = `update series set value = value + 7 where measure = 'shop_orders_total' and labels like '%credit%' and "partition" = 0;
  update minutes set value = value + 1 where "column" = 'total_orders_num' and minute_ms = ${YESTERDAY_MS}`

test('a wrong number is shown, and mended; only its day is written again, with a higher revision', async () => {
  using world = await published()
  const right = publishedBy(world)
  world.sql(WRONG)
  // The wrong minute gets into its file.
  world.sql(
    `insert into pending_days values ('orders', ${YESTERDAY_MS - (YESTERDAY_MS % DAY_MS)}, 1)`,
  )
  await world.bridge((store) => world.publish(store, -1))
  const { compared } = await world.rebuild({ from: 'start' })
  assert.deepEqual(compared, {
    differences: [{ name: 'shop_orders_total {"payment":"credit"}', before: 17n, after: 10n }],
    minutes: 1,
    first: [
      {
        stream: 'orders',
        minuteMs: YESTERDAY_MS,
        column: 'total_orders_num',
        before: 2n,
        after: 1n,
      },
    ],
  })
  assert.notDeepEqual(publishedBy(world), right, 'nothing is touched without swap')
  assert.equal((await world.rebuild({ from: 'start', swap: true })).checkpoint, undefined)
  await world.bridge((store) => world.publish(store, -1))
  assert.deepEqual(publishedBy(world), { ...right, [FILES[0]!]: 2 })
  await world.bridge((store) => world.publish(store, -1))
  assert.deepEqual(publishedBy(world), { ...right, [FILES[0]!]: 2 })
})

test('revisions go on above the published ones also where the old store is not legible', async () => {
  using world = await published()
  const manifest = join(world.lake, FILES[1]!)
  const told = JSON.parse(readFileSync(manifest, 'utf8'))
  writeFileSync(manifest, JSON.stringify({ ...told, revision: 5 }))
  const csv = join(world.lake, 'csv/orders/dt=2026-05-01/orders.csv')
  const right = readFileSync(csv, 'utf8')
  writeFileSync(csv, right.replace(/,10,/, ',11,'))
  writeFileSync(join(world.folder, 'bridge.db'), 'no database')
  const { illegible, compared } = await world.rebuild({ swap: true })
  assert.match(illegible!, /file is not a database/)
  assert.equal(compared, undefined)
  await world.bridge((store) => world.publish(store, -1))
  assert.equal(publishedBy(world)[FILES[1]!], 6)
  assert.equal(readFileSync(csv, 'utf8'), right)
})

test('a checkpoint that was tampered with does not count; the one before does', async () => {
  using world = new World([smallLog(10, YESTERDAY_MS)])
  const days = [LOG_NOW_MS, LOG_NOW_MS + DAY_MS, LOG_NOW_MS + 2 * DAY_MS]
  await world.bridge(async (store) => {
    for (const nowMs of days) {
      world.nowMs = nowMs
      await world.count(store, 0, 1)
      await world.checkpoint(store)
      await world.checkpoint(store)
    }
  })
  const place = join(world.folder, 'checkpoints')
  const at = async (from = 'newest') => (await world.rebuild({ from })).checkpoint
  assert.equal(await at(), 'checkpoints/2026-05-03.db')
  assert.equal(await at('2026-05-01'), 'checkpoints/2026-05-01.db')
  writeFileSync(join(place, '2026-05-03.db'), 'other')
  assert.equal(await at(), 'checkpoints/2026-05-02.db')
  // Another number in the second line: with it, the third does not hold either.
  const chain = join(place, 'chain.jsonl')
  const [first, second, third] = readFileSync(chain, 'utf8').split('\n')
  writeFileSync(chain, `${first}\n${second!.replace('"bytes":', '"bytes":1')}\n${third}\n`)
  assert.equal(
    await at(),
    'checkpoints/2026-05-02.db',
    'only the next line tells that one is false',
  )
  writeFileSync(chain, `${first!.replace('"bytes":', '"bytes":1')}\n${second}\n${third}\n`)
  assert.equal(await at(), 'checkpoints/2026-05-01.db')
  await assert.rejects(at('2026-05-02'), /no intact checkpoint of 2026-05-02/)
  rmSync(place, { recursive: true })
  assert.equal(await at(), undefined)
})

test('eight checkpoints are kept, and all their lines; a new incarnation makes one more of the day', async () => {
  using world = new World([smallLog(10, YESTERDAY_MS)])
  await world.bridge(async (store) => {
    for (let day = 0; day < 10; day++) {
      world.nowMs = LOG_NOW_MS + day * DAY_MS
      await world.checkpoint(store)
    }
    await store.begin([
      { topic: 'new_orders', partition: 0, incarnation: 2, stream: 'orders', start: 0 },
    ])
    await world.checkpoint(store)
    await world.checkpoint(store)
  })
  const place = join(world.folder, 'checkpoints')
  const lines = readFileSync(join(place, 'chain.jsonl'), 'utf8').trimEnd().split('\n')
  const files = lines.map((line) => JSON.parse(line).file as string)
  assert.equal(files.length, 11)
  assert.equal(files.at(-1), '2026-05-10-2.db')
  const kept = files.filter((file) => existsSync(join(place, file)))
  assert.deepEqual(kept, files.slice(-8))
})

test('what Kafka no longer has is refused by partition and offset, and skipped when accepted', async () => {
  using world = await published()
  world.low[1] = 4
  await assert.rejects(world.rebuild(), (error) => {
    assert.ok(error instanceof StartError)
    assert.match(error.message, /new_orders\/1: offsets 0 to 3\n/)
    assert.doesNotMatch(error.message, /new_orders\/0/)
    return true
  })
  const { losses, compared } = await world.rebuild({ acceptLoss: true })
  assert.deepEqual(losses, [{ topic: 'new_orders', partition: 1, incarnation: 1, from: 0, to: 4 }])
  const after = new Map(compared?.differences.map((one) => [one.name, one.after]))
  assert.equal(after.get('new_orders/1 accepted'), 6n)
  assert.equal(after.get('new_orders/1 skipped'), 4n)
  assert.equal(after.has('new_orders/1 position'), false)
})

test('a checkpoint reaches where the log does not; of another topic, or behind its end, it is none', async () => {
  using world = await published()
  await world.bridge((store) => world.checkpoint(store))
  world.low[1] = 4
  assert.equal((await world.rebuild()).compared?.differences.length, 0)
  world.topicId = 'cd'
  const remade = await world.rebuild()
  // All of the topic before is in the checkpoint; the new one is the bridge's to begin.
  assert.deepEqual(remade.compared?.differences, [])
  await assert.rejects(world.rebuild({ from: 'start' }), /new_orders\/0: offsets 0 to 9/)
})

test('a rebuild that was not told to swap is taken up by one that is, and what came meanwhile is counted', async () => {
  using world = new World([smallLog(10, YESTERDAY_MS)])
  await world.bridge((store) => world.count(store, 0, 2))
  world.sql("update series set value = value + 7 where measure = 'shop_orders_total'")
  await world.rebuild({ from: 'start' })
  await world.bridge((store) => world.count(store, 0, 1))
  const { compared, swapped } = await world.rebuild({ swap: true })
  assert.ok(swapped && existsSync(join(world.folder, swapped)))
  assert.equal(compared?.differences.length, 2)
  assert.ok(!existsSync(join(world.folder, 'rebuilt.db')))
  const series = await world.bridge(async (store) => (await store.snapshot()).series)
  const orders = series.filter(({ measure }) => measure === 'shop_orders_total')
  assert.deepEqual(
    orders.map(({ value }) => value),
    [3n, 3n],
  )
})

test('a store that stopped amid a batch is compared at that very record', async () => {
  const all = smallLog(1_800, LOG_NOW_MS).flatMap(({ records }) => records)
  // Compacted: every other offset is gone, and some behind the last.
  const kept = all.map((record) => ({ ...record, offset: record.offset * 2 }))
  using world = new World([
    [
      { first: 0, last: 599, damaged: false, records: kept.slice(0, 300) },
      { first: 600, last: 3_604, damaged: false, records: kept.slice(300) },
    ],
  ])
  world.batchesPerFetch = 1
  // What is too much for one commit is cut where it is: the second batch after 1,000 minutes.
  await world.bridge((store) => world.count(store, 0, 2))
  // The rebuild is cut elsewhere.
  world.batchesPerFetch = 2
  const { compared } = await world.rebuild({ from: 'start' })
  assert.deepEqual(compared, { differences: [], minutes: 0, first: [] })
  assert.deepEqual(world.dump('rebuilt.db').partitions, world.dump().partitions)
  const position = await world.bridge((store) => store.partition('new_orders', 0))
  assert.equal(position!.position, 2 * 1_300 - 1)
})

test('what a killed bridge left in its write-ahead log goes with the old store, not into the new one', async () => {
  using killed = new World([smallLog(10, YESTERDAY_MS)])
  using folder = temporaryFolder()
  using world = new World([smallLog(10, YESTERDAY_MS)], folder.path)
  await killed.bridge(async (store) => {
    await killed.count(store, 0, 3)
    mkdirSync(world.folder, { recursive: true })
    for (const file of ['bridge.db', 'bridge.db-wal'])
      copyFileSync(join(killed.folder, file), join(world.folder, file))
  })
  const { compared, swapped } = await world.rebuild({ from: 'start', swap: true })
  assert.deepEqual(compared?.differences, [])
  assert.ok(!existsSync(join(world.folder, 'bridge.db-wal')))
  assert.deepEqual(world.dump().series, killed.dump().series)
  assert.deepEqual(world.dump(swapped!).series, killed.dump().series)
})
