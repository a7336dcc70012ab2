import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import pino from 'pino'
import { createFold } from '../../services/bridge/fold/index.ts'
import {
  createPublisher,
  RETENTION_DAYS,
  retainedFromMs,
} from '../../services/bridge/rollup/index.ts'
import { openSqliteStore, type Store } from '../../services/bridge/store/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { type TestRecord, testBatch } from './record-batch.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const DAY = Date.UTC(2026, 4, 1)
const NOON = DAY + 12 * 60 * MINUTE_MS
/** A minute from which on all that is closed here is over. */
const LATER = NOON + 60 * MINUTE_MS
const ORDERS_HEADER =
  'datetime,total_orders_num,total_orders_amount,total_orders_price,total_paid_orders_num,total_paid_orders_amount,Total_paid_orders_price'

/** A bridge without its Kafka: events go through the real fold into a real store, whose lake is written. */
class Bridge implements AsyncDisposable {
  readonly #folder = temporaryFolder()
  readonly lake = join(this.#folder.path, 'lake')
  readonly store: Store = openSqliteStore(join(this.#folder.path, 'bridge'))
  readonly errors: string[] = []
  readonly #publisher = createPublisher(
    this.store,
    this.lake,
    pino({ level: 'silent' }),
    (target) => this.errors.push(target),
  )

  /** First started at `startMs`. */
  static async start(startMs: number): Promise<Bridge> {
    const bridge = new Bridge()
    for (const { name, topic } of streams) {
      await bridge.store.addStream(name, startMs, retainedFromMs(startMs))
      await bridge.store.begin([{ topic, partition: 0, incarnation: 1, stream: name, start: 0 }])
    }
    return bridge
  }

  async read(stream: string, records: TestRecord[], nowMs = LATER) {
    const definition = streams.find(({ name }) => name === stream)!
    const state = (await this.store.partition(definition.topic, 0))!
    const batch = testBatch({ baseOffset: state.position, records })
    const delta = createFold(definition).run(state, [batch], batch.lastOffset + 1, 0, nowMs)
    assert.equal(delta.counts.rejected, 0)
    assert.equal(await this.store.commit(delta), 'committed')
  }

  async publish(closableMs: number, nowMs = LATER) {
    for (const stream of streams) await this.#publisher.publish(stream, closableMs, nowMs)
  }

  files(): string[] {
    return globSync('**', { cwd: this.lake, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(this.lake.length + 1))
      .sort()
  }

  text(file: string): string {
    return readFileSync(join(this.lake, file), 'utf8')
  }

  csv(stream: string, date = '2026-05-01'): string[] {
    return this.text(`csv/${stream}/dt=${date}/${stream}.csv`).trimEnd().split('\n')
  }

  manifest(stream: string, date = '2026-05-01') {
    return JSON.parse(this.text(`manifests/${stream}/dt=${date}/manifest.json`))
  }

  async [Symbol.asyncDispose]() {
    await this.store.end()
    this.#folder[Symbol.dispose]()
  }
}

const order = (timestampMs: number, amount: number, price: number, paid: boolean): TestRecord => ({
  timestampMs,
  value: `{"order_id":1,"order_amount":${amount},"order_total_price":${price},"is_paid":${paid}}`,
})
const request = (timestampMs: number, value = '1'): TestRecord => ({ timestampMs, value })

test('the minute files of both streams, byte by byte', async () => {
  await using bridge = await Bridge.start(NOON)
  await bridge.read('orders', [
    order(NOON, 2, 30, true),
    order(NOON + 59_999, 3, 45, false),
    order(NOON + 2 * MINUTE_MS, 1, 1_000_000_000_000, true),
  ])
  await bridge.read('requests', [request(NOON), request(NOON, '{"route":"/","status":200}')])
  await bridge.publish(NOON + 2 * MINUTE_MS)
  assert.deepEqual(bridge.files(), [
    'csv/orders/dt=2026-05-01/orders.csv',
    'csv/requests/dt=2026-05-01/requests.csv',
    'manifests/orders/dt=2026-05-01/manifest.json',
    'manifests/requests/dt=2026-05-01/manifest.json',
  ])
  assert.equal(
    bridge.text('csv/orders/dt=2026-05-01/orders.csv'),
    `${ORDERS_HEADER}
2026-05-01 12:00:00,2,5,75,1,2,30
2026-05-01 12:01:00,0,0,0,0,0,0
2026-05-01 12:02:00,1,1,1000000000000,1,1,1000000000000
`,
  )
  assert.equal(
    bridge.text('csv/requests/dt=2026-05-01/requests.csv'),
    `datetime,requests_num
2026-05-01 12:00:00,2
2026-05-01 12:01:00,0
2026-05-01 12:02:00,0
`,
  )
})

test('before the first start only minutes with events have rows, from it on all', async () => {
  await using bridge = await Bridge.start(NOON)
  const before = [NOON - 3 * DAY_MS, NOON - 10 * MINUTE_MS]
  await bridge.read(
    'requests',
    before.map((at) => request(at)),
  )
  await bridge.publish(NOON + MINUTE_MS)
  assert.deepEqual(bridge.csv('requests', '2026-04-28').slice(1), ['2026-04-28 12:00:00,1'])
  assert.deepEqual(bridge.csv('requests').slice(1), [
    '2026-05-01 11:50:00,1',
    '2026-05-01 12:00:00,0',
    '2026-05-01 12:01:00,0',
  ])
  assert.ok(!bridge.files().some((file) => file.includes('dt=2026-04-29')))
})

test('days without events are files of zeros, up to midnight and on', async () => {
  await using bridge = await Bridge.start(DAY + DAY_MS - 2 * MINUTE_MS)
  await bridge.publish(DAY + 2 * DAY_MS, DAY + 3 * DAY_MS)
  assert.deepEqual(bridge.csv('requests').slice(1), [
    '2026-05-01 23:58:00,0',
    '2026-05-01 23:59:00,0',
  ])
  assert.equal(bridge.csv('requests', '2026-05-02').length, 1 + 1_440)
  assert.deepEqual(bridge.csv('requests', '2026-05-03').slice(1), ['2026-05-03 00:00:00,0'])
})

test('nothing is written before a minute closes, nor again while nothing changed', async () => {
  await using bridge = await Bridge.start(NOON)
  await bridge.read('requests', [request(NOON)])
  await bridge.publish(-1)
  assert.deepEqual(bridge.files(), [])
  await bridge.publish(NOON)
  const path = join(bridge.lake, 'csv/requests/dt=2026-05-01/requests.csv')
  const { ino, mtimeNs } = statSync(path, { bigint: true })
  await bridge.publish(NOON)
  await bridge.publish(-1)
  const again = statSync(path, { bigint: true })
  assert.deepEqual([again.ino, again.mtimeNs], [ino, mtimeNs])
})

test('the manifest names rows, revision, hash and the positions below which all is included', async () => {
  await using bridge = await Bridge.start(NOON)
  await bridge.read('requests', [request(NOON), request(NOON + MINUTE_MS), request(NOON)])
  await bridge.publish(NOON + MINUTE_MS)
  const path = 'csv/requests/dt=2026-05-01/requests.csv'
  assert.deepEqual(bridge.manifest('requests'), {
    stream: 'requests',
    date: '2026-05-01',
    rows: 2,
    revision: 1,
    files: [{ path, sha256: createHash('sha256').update(bridge.text(path)).digest('hex') }],
    positions: [{ topic: 'web_requests', partition: 0, incarnation: 1, position: 3 }],
  })
})

test('a late event writes its day again, with a higher revision; other days stay', async () => {
  await using bridge = await Bridge.start(NOON - DAY_MS)
  await bridge.read('requests', [request(NOON - DAY_MS), request(NOON)])
  await bridge.publish(NOON)
  const other = statSync(join(bridge.lake, 'csv/requests/dt=2026-05-01/requests.csv'))
  await bridge.read('requests', [request(NOON - DAY_MS + 30_000)])
  await bridge.publish(-1)
  assert.equal(bridge.csv('requests', '2026-04-30')[1], '2026-04-30 12:00:00,2')
  assert.equal(bridge.manifest('requests', '2026-04-30').revision, 2)
  assert.equal(bridge.manifest('requests').revision, 1)
  const after = statSync(join(bridge.lake, 'csv/requests/dt=2026-05-01/requests.csv'))
  assert.equal(after.ino, other.ino)
})

test('the same events in another order give the same bytes', async () => {
  const events = Array.from({ length: 40 }, (_, i) =>
    order(NOON + (i % 4) * MINUTE_MS, 1 + i, i, i % 3 === 0),
  )
  const file = 'csv/orders/dt=2026-05-01/orders.csv'
  await using forward = await Bridge.start(NOON)
  await forward.read('orders', events)
  await forward.publish(NOON + 5 * MINUTE_MS)
  await using backward = await Bridge.start(NOON)
  for (const event of events.reverse()) await backward.read('orders', [event])
  await backward.publish(NOON + 3 * MINUTE_MS)
  await backward.publish(NOON + 5 * MINUTE_MS)
  assert.equal(backward.text(file), forward.text(file))
})

test('what cannot be written is reported, and written once it can be', async () => {
  await using bridge = await Bridge.start(NOON)
  await bridge.read('requests', [request(NOON)])
  mkdirSync(bridge.lake)
  // Where the folder should be there is a file.
  writeFileSync(join(bridge.lake, 'csv'), '')
  await bridge.publish(NOON)
  await bridge.publish(NOON)
  assert.deepEqual(bridge.errors, ['csv', 'csv', 'csv', 'csv'])
  assert.deepEqual(bridge.files(), ['csv'])
  await bridge.read('requests', [request(NOON)])
  rmSync(join(bridge.lake, 'csv'))
  await bridge.publish(-1)
  assert.deepEqual(bridge.csv('requests').slice(1), ['2026-05-01 12:00:00,2'])
  assert.equal(bridge.errors.length, 4)
})

test('what a crash left half written is no file for an engine, and makes way', async () => {
  await using bridge = await Bridge.start(NOON)
  const folder = join(bridge.lake, 'csv/requests/dt=2026-05-01')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, '.requests.csv.tmp'), 'datetime,requests_num\n2026-05-01 1')
  assert.deepEqual(globSync('**/*.csv', { cwd: bridge.lake }), [])
  await bridge.publish(NOON)
  assert.deepEqual(bridge.csv('requests').slice(1), ['2026-05-01 12:00:00,0'])
  assert.deepEqual(globSync('**/.*', { cwd: bridge.lake }), [])
})

test('a reader sees a whole file at every moment while it is written again', async () => {
  await using bridge = await Bridge.start(DAY)
  const path = join(bridge.lake, 'csv/requests/dt=2026-05-01/requests.csv')
  await bridge.publish(DAY + 600 * MINUTE_MS)
  let writing = true
  const wrong: string[] = []
  let looks = 0
  const reading = (async () => {
    while (writing) {
      const text = readFileSync(path, 'utf8')
      looks++
      if (!text.startsWith('datetime,requests_num\n') || !/,\d+\n$/.test(text)) wrong.push(text)
      if (globSync('**/*.csv', { cwd: bridge.lake }).length > 2) wrong.push('another *.csv')
      await new Promise(setImmediate)
    }
  })()
  for (let i = 0; i < 15; i++) {
    await bridge.read('requests', [request(DAY + i * MINUTE_MS)])
    await bridge.publish(-1)
  }
  writing = false
  await reading
  assert.ok(looks > 15)
  assert.deepEqual(wrong, [])
})

test('minutes that by the clock are not over are not published, whatever was seen', async () => {
  await using bridge = await Bridge.start(NOON)
  const future = NOON + 5 * MINUTE_MS
  await bridge.read('requests', [request(NOON), request(future)], NOON + 90_000)
  await bridge.publish(future + 60 * MINUTE_MS, NOON + 90_000)
  assert.deepEqual(bridge.csv('requests').slice(1), ['2026-05-01 12:00:00,1'])
  await bridge.publish(future, future + MINUTE_MS)
  assert.deepEqual(bridge.csv('requests').slice(-1), ['2026-05-01 12:05:00,1'])
  assert.equal(bridge.csv('requests').length, 1 + 6)
})

test('a sealed day keeps its file though an event of it comes', async () => {
  await using bridge = await Bridge.start(NOON)
  const { store } = bridge
  await bridge.read('requests', [request(NOON), request(NOON)])
  await bridge.publish(DAY + DAY_MS - MINUTE_MS, DAY + DAY_MS)
  const path = join(bridge.lake, 'csv/requests/dt=2026-05-01/requests.csv')
  const { ino, mtimeNs } = statSync(path, { bigint: true })
  const muchLater = DAY + (RETENTION_DAYS + 1) * DAY_MS
  // As if the files of the days between, which are zeros, had been written.
  await store.close('requests', muchLater - MINUTE_MS)
  for (const dayMs of await store.pendingDays('requests')) {
    await store.written(await store.day('requests', dayMs))
  }
  await bridge.publish(-1, muchLater)
  await bridge.read('requests', [request(NOON)], muchLater)
  await bridge.publish(-1, muchLater + MINUTE_MS)
  const after = statSync(path, { bigint: true })
  assert.deepEqual([after.ino, after.mtimeNs], [ino, mtimeNs])
  const { streams: states, series } = await store.snapshot()
  assert.equal(states.find(({ stream }) => stream === 'requests')?.tooLate, 1)
  assert.equal(series[0]?.value, 3n)
})
