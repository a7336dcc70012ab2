import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { add } from './ledger.ts'

export type OrderEvent = {
  order_id: number
  order_amount: number
  order_total_price: number
  is_paid: boolean
}
type RequestEvent = { route: string; method: string; status: number }
type KcatRecord = {
  partition: number
  offset: number
  ts: number
  payload: string
  headers?: string[]
}

const MINUTE_MS = 60_000
/** The published columns of an order's minute. */
export const ORDER_COLUMNS = [
  'total_orders_num',
  'total_orders_amount',
  'total_orders_price',
  'total_paid_orders_num',
  'total_paid_orders_amount',
  'Total_paid_orders_price',
]
export const REQUEST_COLUMNS = ['requests_num']

/** One topic as it is in Kafka, added up by plain code. A minute is named by its start in ms. */
export type Topic<Event> = {
  /** Each once, however often it was sent. */
  events: { event: Event; minuteMs: number }[]
  records: number
  duplicates: number
  /** Records whose own timestamp is not their event's time. */
  restamped: number
  /** The next offset, by partition. */
  ends: Map<number, number>
  /** Records that carry the number of another one and are not the same. */
  contradictions: string[]
  /** Sources whose numbers, from 1 to their last, are not all there. */
  gaps: string[]
  minutes: Map<number, number[]>
}

export type Orders = Topic<OrderEvent>
export type Requests = Topic<RequestEvent>

export const readOrders = (brokers: string) =>
  readTopic<OrderEvent>(brokers, 'new_orders', ({ order_amount, order_total_price, is_paid }) => {
    const all = [1, order_amount, order_total_price]
    return [...all, ...(is_paid ? all : [0, 0, 0])]
  })

export const readRequests = (brokers: string) =>
  readTopic<RequestEvent>(brokers, 'web_requests', () => [1])

/** @param columnsOf what one event adds to the columns of its minute. */
async function readTopic<Event>(
  brokers: string,
  topic: string,
  columnsOf: (event: Event) => number[],
): Promise<Topic<Event>> {
  const read: Topic<Event> = {
    events: [],
    records: 0,
    duplicates: 0,
    restamped: 0,
    ends: new Map(),
    contradictions: [],
    gaps: [],
    minutes: new Map(),
  }
  const seen = new Map<string, string>()
  const sources = new Map<string, { records: number; last: number }>()
  for await (const { partition, offset, ts, payload, headers = [] } of kcat(brokers, topic)) {
    const header = (name: string) => headers[headers.indexOf(name) + 1]
    const [time, source, number] = [header('mb-time'), header('mb-source'), header('mb-seq')]
    const identity = `${partition} ${source} ${number}`
    const content = `${time} ${payload}`
    read.records += 1
    if (ts !== Number(time)) read.restamped += 1
    read.ends.set(partition, Math.max(offset + 1, read.ends.get(partition) ?? 0))
    const before = seen.get(identity)
    if (before !== undefined) {
      read.duplicates += 1
      if (before !== content) read.contradictions.push(`${topic}/${partition}@${offset}`)
      continue
    }
    seen.set(identity, content)
    const { records, last } = sources.get(`${partition} ${source}`) ?? { records: 0, last: 0 }
    const next = { records: records + 1, last: Math.max(last, Number(number)) }
    sources.set(`${partition} ${source}`, next)
    const event = JSON.parse(payload) as Event
    const minuteMs = Math.floor(Number(time) / MINUTE_MS) * MINUTE_MS
    read.events.push({ event, minuteMs })
    const sums = read.minutes.get(minuteMs)
    const columns = columnsOf(event)
    read.minutes.set(minuteMs, sums ? columns.map((value, i) => value + sums[i]!) : columns)
  }
  for (const [source, { records, last }] of sources) {
    if (records !== last) read.gaps.push(`${topic}/${source}: ${records} of ${last}`)
  }
  return read
}

async function* kcat(brokers: string, topic: string): AsyncGenerator<KcatRecord> {
  const child = spawn(
    'kcat',
    ['-b', brokers, '-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-J'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const exited = once(child, 'exit')
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line)
  const [code] = await exited
  if (code !== 0) throw new Error(`kcat ended with ${code} while it read ${topic}`)
}

/** Events by what `keyOf` says of them. */
export function tally<Event>({ events }: Topic<Event>, keyOf: (event: Event) => string) {
  const sums = new Map<string, number>()
  for (const { event } of events) add(sums, keyOf(event))
  return sums
}
