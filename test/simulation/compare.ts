import assert from 'node:assert/strict'
import type { Snapshot } from '../../services/bridge/store/index.ts'
import { plus } from '../bridge/reference-fold.ts'
import type { ReferenceStream } from './reference-stream.ts'
import type { Tables } from './tables.ts'

const MEASURES: Record<string, string> = {
  shop_orders_total: 'orders',
  shop_ordered_units_total: 'units',
  shop_order_value_total: 'value',
}
const COLUMNS = [
  'total_orders_num',
  'total_orders_amount',
  'total_orders_price',
  'total_paid_orders_num',
  'total_paid_orders_amount',
  'Total_paid_orders_price',
]
const COUNTS = ['accepted', 'rejected', 'duplicate', 'skipped', 'lost', 'recovered'] as const

/** Series, accounting, rejections and what is late, too late or to come. */
export function compareCounters(snapshot: Snapshot, reference: ReferenceStream) {
  const folds = [...reference.folds.values()]
  const totals = new Map<string, bigint>()
  const reasons = new Map<string, number>()
  for (const fold of folds) {
    for (const [name, value] of fold.totals) plus(totals, name, value)
    for (const [reason, records] of fold.reasons)
      reasons.set(reason, (reasons.get(reason) ?? 0) + records)
  }
  const series = snapshot.series.map(({ measure, labels, value }) => [
    `${MEASURES[measure]} ${JSON.parse(labels).payment}`,
    value,
  ])
  assert.deepEqual(sorted(series), sorted([...totals]), 'series')
  const rejected = snapshot.rejected.map(({ reason, records }) => [reason, records])
  assert.deepEqual(sorted(rejected), sorted([...reasons]), 'rejections')
  for (const partition of snapshot.partitions) comparePartition(partition, reference)
  const [stream] = snapshot.streams
  assert.deepEqual(
    { late: stream?.late, tooLate: stream?.tooLate, future: stream?.future },
    {
      late: reference.late,
      tooLate: reference.tooLate,
      future: total(folds.map(({ future }) => future)),
    },
  )
}

function comparePartition(shown: Snapshot['partitions'][0], reference: ReferenceStream) {
  const incarnations = [...reference.folds].filter(([key]) => key.startsWith(`${shown.partition}/`))
  const folds = incarnations.map(([, fold]) => fold)
  for (const name of COUNTS) {
    assert.equal(
      shown[name],
      total(folds.map((fold) => fold[name])),
      `${name} of ${shown.partition}`,
    )
  }
  const told = COUNTS.slice(0, 4).map((name) => shown[name])
  const offsets = total(folds.map(({ position, start }) => position - start))
  assert.equal(shown.undelivered, offsets - total(told), `undelivered of ${shown.partition}`)
  assert.equal(shown.position, folds.at(-1)!.position)
  assert.equal(shown.maxTimeMs, folds.at(-1)!.latestMs)
}

/** Each minute, the baseline, and that both together are the counters. */
export function compareMinutes(tables: Tables, snapshot: Snapshot, reference: ReferenceStream) {
  const rows = tables.minutes.all()
  const minutes = rows.map(([minute, column, value]) => [`${minute} ${column}`, value])
  const expected = [...reference.minutes].flatMap(([minute, values]) => named(values, `${minute} `))
  assert.deepEqual(sorted(minutes), sorted(expected), 'minutes')
  const baselines = tables.baselines.all()
  assert.deepEqual(sorted(baselines), sorted(named(reference.baseline, '')), 'baselines')
  const columns = [...rows.map(([, column, value]) => [column, value] as const), ...baselines]
  for (const [i, measure] of Object.keys(MEASURES).entries()) {
    const ofColumn = columns.filter(([column]) => column === COLUMNS[i])
    const counters = snapshot.series.filter((row) => row.measure === measure)
    assert.equal(
      ofColumn.reduce((sum, [, value]) => sum + value, 0n),
      counters.reduce((sum, { value }) => sum + value, 0n),
      `baseline + minutes of ${measure}`,
    )
  }
}

/** The last number of each source, and the numbers that are missing and may still come. */
export function compareSources(tables: Tables, reference: ReferenceStream) {
  const rows = tables.sources.all()
  for (const [key, { last, missing }] of reference.folds) {
    const shown = rows.filter((row) => row.key === key)
    const numbers = shown.map(({ source, last }) => [source, last])
    assert.deepEqual(sorted(numbers), sorted([...last]), `last numbers of ${key}`)
    for (const { source, gaps } of shown) {
      const open = (JSON.parse(gaps) as { from: number; to: number }[]).flatMap(({ from, to }) =>
        Array.from({ length: to - from + 1 }, (_, i) => from + i),
      )
      const expected = [...(missing.get(source) ?? [])].sort((a, b) => a - b)
      assert.deepEqual(open, expected, `open gaps of ${source}`)
    }
  }
}

function named(values: bigint[], prefix: string): [string, bigint][] {
  return values.flatMap((value, i) => (value === 0n ? [] : [[`${prefix}${COLUMNS[i]}`, value]]))
}

function sorted<T extends readonly unknown[]>(rows: T[]): T[] {
  return rows.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
}

function total(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
