import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { openDatabase } from './database.ts'
import type { Differences } from './differences.ts'
import { type Orders, type Requests, type Topic, tally } from './recount.ts'
import { sumOf } from './scraper.ts'

/** What the bridge's page shows is what Kafka has. */
export function compareCounters(
  page: Map<string, number>,
  orders: Orders,
  requests: Requests,
  differences: Differences,
) {
  const shown = new Map<string, number>()
  for (const [series, value] of page) {
    const { __name__: name, route, method, code, payment } = JSON.parse(series)
    if (name === 'web_requests_total') shown.set(`${route} ${method} ${code}`, value)
    if (/^shop_\w+_total$/.test(name)) shown.set(`${name} ${payment}`, value)
  }
  const expected = tally(requests, ({ route, method, status }) => `${route} ${method} ${status}`)
  for (const payment of ['prepaid', 'credit']) {
    const events = orders.events.map(({ event }) => event)
    const of = events.filter(({ is_paid }) => is_paid === (payment === 'prepaid'))
    const sum = (field: 'order_amount' | 'order_total_price') =>
      of.reduce((total, event) => total + event[field], 0)
    expected.set(`shop_orders_total ${payment}`, of.length)
    expected.set(`shop_ordered_units_total ${payment}`, sum('order_amount'))
    expected.set(`shop_order_value_total ${payment}`, sum('order_total_price'))
  }
  differences.equal('counter', shown, expected)

  for (const [topic, read] of [
    ['new_orders', orders],
    ['web_requests', requests],
  ] as const) {
    for (const where of read.contradictions) differences.add('two events with one number', where)
    for (const source of read.gaps) differences.add('numbers missing in Kafka', source)
    const records = (result: string) => sumOf(page, 'meterbridge_records_total', { topic, result })
    const lost = sumOf(page, 'meterbridge_lost_records_total', { topic })
    const recovered = sumOf(page, 'meterbridge_recovered_records_total', { topic })
    const is = { accepted: records('accepted'), duplicate: records('duplicate') }
    const rest = { rejected: records('rejected'), missing: lost - recovered }
    const should = { accepted: read.events.length, duplicate: read.duplicates }
    differences.equal(
      `records of ${topic}`,
      new Map(Object.entries({ ...is, ...rest })),
      new Map(Object.entries(should)),
    )
    for (const [partition, end] of read.ends) {
      const labels = { topic, partition: String(partition) }
      const position = sumOf(page, 'meterbridge_position', labels)
      if (position !== end)
        differences.add('position', `${topic}/${partition}: ${position} of ${end}`)
    }
  }
}

/** Each event is in its minute once, in the bridge's store and, where the minute is closed, in the files. */
export function compareMinutes(
  bridgeDisk: string,
  stream: string,
  columns: string[],
  { minutes }: Topic<unknown>,
  differences: Differences,
) {
  using database = openDatabase(join(bridgeDisk, 'bridge', 'bridge.db'))
  const stored = database.all<{ minute: number; column: string; sum: number }>(
    'select minute_ms as minute, "column", sum(value) as sum from minutes where stream = ? group by 1, 2',
    stream,
  )
  const inStore = new Map(stored.map(({ minute, column, sum }) => [`${minute} ${column}`, sum]))
  differences.equal(`minutes of ${stream}`, inStore, byColumn(minutes, columns, Infinity))

  const [state] = database.all<{ closed: number }>(
    'select closed_minute_ms as closed from streams where stream = ?',
    stream,
  )
  const closedMs = state?.closed ?? -1
  const inFiles = new Map<string, number>()
  for (const file of globSync(join(bridgeDisk, 'lake', 'csv', stream, '*', '*.csv'))) {
    const [header = '', ...rows] = readFileSync(file, 'utf8').trimEnd().split('\n')
    if (header !== ['datetime', ...columns].join(','))
      differences.add('header', `${file}: ${header}`)
    for (const row of rows) {
      const [datetime, ...values] = row.split(',')
      const minute = Date.parse(`${datetime?.replace(' ', 'T')}Z`)
      for (const [i, value] of values.entries()) {
        const key = `${minute} ${columns[i]}`
        if (inFiles.has(key)) differences.add('row', `${file} has ${datetime} twice`)
        inFiles.set(key, Number(value))
      }
    }
  }
  differences.equal(`files of ${stream}`, inFiles, byColumn(minutes, columns, closedMs))
}

function byColumn(minutes: Map<number, number[]>, columns: string[], untilMs: number) {
  const sums = new Map<string, number>()
  for (const [minute, values] of minutes) {
    if (minute > untilMs) continue
    for (const [i, value] of values.entries()) sums.set(`${minute} ${columns[i]}`, value)
  }
  return sums
}
