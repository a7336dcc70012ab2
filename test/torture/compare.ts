import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { Ledger } from './ledger.ts'
import {
  type OrderEvent,
  type readOrders,
  type readRequests,
  type Topic,
  tally,
} from './recount.ts'
import { sumOf } from './scraper.ts'

type Orders = Awaited<ReturnType<typeof readOrders>>
type Requests = Awaited<ReturnType<typeof readRequests>>
type ShopOrder = {
  id: number
  customer_email: string
  amount: number
  total_price: number
  is_prepaid: number
}

const UNIT_PRICE = 15
const SHOWN = 5

/** What differs, a sentence each; of many alike, the first few. */
export class Differences {
  readonly lines: string[] = []
  readonly #alike = new Map<string, number>()

  add(kind: string, detail: string) {
    const count = (this.#alike.get(kind) ?? 0) + 1
    this.#alike.set(kind, count)
    if (count <= SHOWN) this.lines.push(`${kind}: ${detail}`)
    if (count === SHOWN + 1) this.lines.push(`${kind}: … and more`)
  }

  /** Each number that is not as it should be. */
  equal(kind: string, actual: Map<string, number>, expected: Map<string, number>) {
    for (const key of new Set([...actual.keys(), ...expected.keys()])) {
      const [is, should] = [actual.get(key) ?? 0, expected.get(key) ?? 0]
      if (is !== should) this.add(kind, `${key}: ${is}, should be ${should}`)
    }
  }
}

/** What each client was told is what the shop has. */
export function compareLedger(ledger: Ledger, shopDisk: string, differences: Differences) {
  for (const surprise of ledger.surprises) differences.add('unexpected answer', surprise)
  const stored = Map.groupBy(shopOrders(shopDisk), (order) => order.customer_email)
  for (const { email, outcome, amount, paid, id } of ledger.orders) {
    const rows = stored.get(email) ?? []
    stored.delete(email)
    const [row] = rows
    const least = outcome === 'taken' ? 1 : 0
    const most = outcome === 'refused' ? 0 : 1
    if (rows.length < least || rows.length > most) {
      differences.add('order', `${email} was ${outcome} and is in the shop ${rows.length} times`)
    } else if (row && (row.amount !== amount || row.is_prepaid !== Number(paid))) {
      differences.add('order', `${email} is another in the shop than was ordered`)
    } else if (row && row.total_price !== amount * UNIT_PRICE) {
      differences.add('order', `${email} has the price ${row.total_price}`)
    } else if (row && id !== undefined && row.id !== id) {
      differences.add('order', `${email} was shown as ${id} and is ${row.id}`)
    }
  }
  for (const email of stored.keys()) differences.add('order', `nobody ordered as ${email}`)
}

/** Each order of the shop is one event in Kafka, and no other is. */
export function compareShop(orders: Orders, shopDisk: string, differences: Differences) {
  const events = Map.groupBy(orders.events, ({ event }) => event.order_id)
  for (const { id, amount, total_price, is_prepaid } of shopOrders(shopDisk)) {
    const found = events.get(id) ?? []
    events.delete(id)
    const wanted: OrderEvent = {
      order_id: id,
      order_amount: amount,
      order_total_price: total_price,
      is_paid: is_prepaid === 1,
    }
    if (found.length !== 1) {
      differences.add('in Kafka', `order ${id} is ${found.length} events`)
    } else if (JSON.stringify(found[0]!.event) !== JSON.stringify(wanted)) {
      differences.add('in Kafka', `order ${id} is ${JSON.stringify(found[0]!.event)}`)
    }
  }
  for (const id of events.keys()) differences.add('in Kafka', `order ${id} is not in the shop`)
}

/** Each answered page view is an event; a request without answer, or that could not be stored, may be one. */
export function compareViews(ledger: Ledger, requests: Requests, differences: Differences) {
  const events = tally(requests, ({ route, method, status }) => `${route} ${method} ${status}`)
  for (const [key, answered] of ledger.answered) {
    if (key.endsWith(' 500') || (events.get(key) ?? 0) >= answered) continue
    differences.add('page view', `${key}: ${events.get(key) ?? 0} events, ${answered} answered`)
  }
  const asked = tally(requests, ({ route, method }) => `${route} ${method}`)
  for (const [key, count] of asked) {
    if (count <= (ledger.asked.get(key) ?? 0)) continue
    differences.add('page view', `${key}: ${count} events, ${ledger.asked.get(key) ?? 0} asked`)
  }
}

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
  using database = open(join(bridgeDisk, 'bridge', 'bridge.db'))
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

function shopOrders(shopDisk: string): ShopOrder[] {
  using database = open(join(shopDisk, 'shop', 'shop.db'))
  return database.all<ShopOrder>('select * from orders')
}

function open(file: string) {
  const database = new Database(file, { readonly: true })
  return {
    all: <T>(query: string, ...values: string[]) => database.prepare(query).all(...values) as T[],
    [Symbol.dispose]: () => void database.close(),
  }
}
