import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import pino from 'pino'
import { createFold } from '../../services/bridge/fold/index.ts'
import { createPublisher } from '../../services/bridge/rollup/index.ts'
import { openSqliteStore } from '../../services/bridge/store/index.ts'
import { type StreamDefinition, streams } from '../../services/bridge/streams/index.ts'
import { makeKnown } from '../../services/bridge/streams-known.ts'
import { StartError } from '../../services/runtime/start-error.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { testBatch } from './record-batch.ts'

const NOON = Date.UTC(2026, 4, 1, 12)
const DAY_MS = 86_400_000
const LATER = NOON + 3_600_000
const orders = streams.find(({ name }) => name === 'orders')!
const [, UNITS] = orders.measures

const LARGE: StreamDefinition['measures'][0] = {
  name: 'shop_large_orders_total',
  help: 'Orders of ten units or more.',
  unit: 'records',
  labels: ['payment'],
  value: (order) => ((order as { order_amount: number }).order_amount >= 10 ? 1 : 0),
}
const CREDIT = {
  name: 'total_credit_num',
  measure: 'shop_orders_total',
  where: { payment: 'credit' },
}
const LARGE_COLUMN = { name: 'total_large_num', measure: LARGE.name }

/** A data folder through several versions of the definition of `orders`. */
class Versions implements Disposable {
  readonly #folder = temporaryFolder()
  readonly #lake = join(this.#folder.path, 'lake')
  readonly #store = join(this.#folder.path, 'bridge')
  #errors: string[] = []

  /** Starts with this definition, counts one paid and one credit order at `atMs`, if given, and publishes. */
  async run(stream: StreamDefinition, atMs?: number) {
    const store = openSqliteStore(this.#store)
    try {
      await makeKnown(store, [stream], NOON)
      const key = { topic: stream.topic, partition: 0, incarnation: 1 }
      const [state] = await store.begin([{ ...key, stream: stream.name, start: 0 }])
      if (atMs !== undefined) {
        const batch = testBatch({
          baseOffset: state!.position,
          records: [12, 2].map((amount) => ({
            timestampMs: atMs,
            value: `{"order_id":1,"order_amount":${amount},"order_total_price":15,"is_paid":${amount > 9}}`,
          })),
        })
        const fold = createFold(stream)
        await store.commit(fold.run(state!, [batch], batch.lastOffset + 1, 0, LATER))
      }
      const onError = (target: string) => this.#errors.push(target)
      const silent = pino({ level: 'silent' })
      const publisher = createPublisher(store, this.#lake, silent, onError)
      await publisher.publish(stream, NOON + 60_000, LATER)
      assert.deepEqual(this.#errors, [])
      return (await store.snapshot()).series
    } finally {
      await store.end()
    }
  }

  /** Of each day: its file's header and last row, and its revision. */
  published() {
    return globSync('csv/orders/*/*.csv', { cwd: this.#lake })
      .sort()
      .map((file) => {
        const lines = readFileSync(join(this.#lake, file), 'utf8').trimEnd().split('\n')
        const manifest = file.replace('csv/', 'manifests/').replace('orders.csv', 'manifest.json')
        const { revision } = JSON.parse(readFileSync(join(this.#lake, manifest), 'utf8'))
        return { header: lines[0]!, row: lines[1]!, revision }
      })
  }

  read(query: string): unknown[] {
    const database = new Database(join(this.#store, 'bridge.db'))
    const rows = database.prepare(query).raw().all()
    database.close()
    return rows
  }

  /** Counter = baseline + minutes, for each column of `stream`. */
  assertAgree(stream: StreamDefinition) {
    for (const { name, measure, where = {} } of stream.columns) {
      const labels = Object.entries(where).map(([k, v]) => `and labels ->> '${k}' = '${v}'`)
      const [both] = this.read(
        `select (select total(value) from series where measure = '${measure}' ${labels.join(' ')}),
          (select total(value) from minutes where "column" = '${name}') + (select total(value) from baselines where "column" = '${name}')`,
      ) as [number, number][]
      assert.equal(both![0], both![1], name)
    }
  }

  [Symbol.dispose]() {
    this.#folder[Symbol.dispose]()
  }
}

const changed = (change: Partial<StreamDefinition>): StreamDefinition => ({ ...orders, ...change })

test('a new measure starts at 0 and knows how many events came before; a new column has a baseline', async () => {
  using versions = new Versions()
  await versions.run(orders, NOON)
  const more = changed({
    measures: [...orders.measures, LARGE],
    columns: [...orders.columns, CREDIT, LARGE_COLUMN],
  })
  await versions.run(more)
  const before = versions.read(`select events_before from definitions where name = '${LARGE.name}'`)
  assert.deepEqual(before, [[2]])
  assert.deepEqual(versions.read("select value from baselines where column = 'total_credit_num'"), [
    [1],
  ])
  versions.assertAgree(more)
  const series = await versions.run(more, NOON + 60_000)
  assert.equal(series.find(({ measure }) => measure === LARGE.name)?.value, 1n)
  versions.assertAgree(more)
})

test('with a new column all published days are written again, so that they have one header; rows before have 0', async () => {
  using versions = new Versions()
  await versions.run(orders, NOON - DAY_MS)
  await versions.run(orders, NOON)
  const old = versions.published()
  assert.equal(old.length, 2)
  await versions.run(changed({ columns: [...orders.columns, CREDIT] }))
  const now = versions.published()
  for (const [i, { header, row, revision }] of now.entries()) {
    assert.equal(header, `${old[i]!.header},total_credit_num`)
    assert.equal(row, `${old[i]!.row},0`)
    assert.equal(revision, old[i]!.revision + 1)
  }
})

const [prepaid] = orders.labels.payment!.values
const CHANGES: [string, Partial<StreamDefinition>, RegExp][] = [
  [
    'unit',
    { measures: [orders.measures[0]!, { ...UNITS!, unit: 'records' }, orders.measures[2]!] },
    /measure shop_ordered_units_total of stream orders was counted as .*pieces.* now defined as .*records/,
  ],
  [
    'version of its function',
    { measures: [orders.measures[0]!, { ...UNITS!, version: 2 }, orders.measures[2]!] },
    /measure shop_ordered_units_total/,
  ],
  [
    'labels',
    { measures: [orders.measures[0]!, { ...UNITS!, labels: [] }, orders.measures[2]!] },
    /measure shop_ordered_units_total/,
  ],
  [
    "a label's values",
    { labels: { payment: { ...orders.labels.payment!, values: [prepaid!, 'credit', 'cash'] } } },
    /measure shop_orders_total/,
  ],
  [
    "a label's version",
    { labels: { payment: { ...orders.labels.payment!, version: 2 } } },
    /measure shop_orders_total/,
  ],
  [
    "a column's part of the measure",
    {
      columns: orders.columns.map((column) =>
        column.where ? { ...column, where: { payment: 'credit' } } : column,
      ),
    },
    /column total_paid_orders_num/,
  ],
  ['topic', { topic: 'other_orders' }, /stream orders was counted as .*new_orders.*other_orders/],
  [
    'place of a column',
    { columns: [CREDIT, ...orders.columns] },
    /column total_credit_num of stream orders was counted as no column before total_orders_num/,
  ],
]
for (const [what, change, sentence] of CHANGES) {
  test(`another meaning is refused with what to do, and changes nothing: ${what}`, async () => {
    using versions = new Versions()
    await versions.run(orders, NOON)
    const before = versions.read('select * from definitions')
    await assert.rejects(versions.run(changed(change)), (error) => {
      assert.ok(error instanceof StartError)
      assert.match(error.message, sentence)
      assert.match(error.message, /rebuild --from start/)
      return true
    })
    assert.deepEqual(versions.read('select * from definitions'), before)
    await versions.run(orders, NOON + 60_000)
  })
}

test('a name that was taken out and is back is refused, unless nothing was counted meanwhile', async () => {
  using versions = new Versions()
  await versions.run(orders, NOON)
  const less = changed({ columns: orders.columns.slice(0, 5) })
  await versions.run(less)
  await versions.run(orders)
  versions.assertAgree(orders)
  await versions.run(less, NOON + 60_000)
  await assert.rejects(
    versions.run(orders),
    /column Total_paid_orders_price of stream orders was taken out of the definition and is back/,
  )
})

test('what accepts more, says it in other words or shows other zeros is no other meaning', async () => {
  using versions = new Versions()
  await versions.run(orders, NOON)
  const wider = orders.schema.or('string') as StreamDefinition['schema']
  const measures = orders.measures.map((measure) => ({ ...measure, help: 'Other words.' }))
  await versions.run(changed({ schema: wider, measures, known: [] }), NOON)
})

test('a store of a version that wrote no meanings down takes those of now for what it was counted with', async () => {
  using versions = new Versions()
  await versions.run(orders, NOON)
  versions.read('delete from definitions returning 1')
  await versions.run(orders, NOON)
  assert.deepEqual(versions.read('select distinct events_before, removed from definitions'), [
    [0, 0],
  ])
  versions.assertAgree(orders)
  assert.deepEqual(
    versions.published().map(({ revision }) => revision),
    [2],
  )
})
