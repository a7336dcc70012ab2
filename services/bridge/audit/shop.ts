import type { ReadOnlyStore } from '../store/read-only.ts'
import type { StreamDefinition } from '../streams/index.ts'
import type { Difference, Findings } from './report.ts'

/** What the shop says it gave out (services/shop/figures.ts). */
export type ShopFigures = {
  orders: number
  /** The topic that has an event for each of them. */
  ordersTopic: string
  /** Events that Kafka has not acknowledged. */
  waiting: { topic: string; events: number }[]
  /** Events that Kafka refuses. */
  setAside: { topic: string; events: number }[]
  /** Each incarnation's last number, and which of its numbers are not acknowledged. */
  sources: { topic: string; partition: number; source: string; last: number; waiting: number[] }[]
}

type Gap = { from: number; to: number }
type Counted = { last: number; gaps: Gap[] }

/** Numbers that the shop gave out = numbers that were counted, per source, topic and partition. */
export function checkShop(
  store: ReadOnlyStore,
  shop: ShopFigures,
  streams: readonly StreamDefinition[],
): Findings {
  const found: Findings = { differences: [], notes: [] }
  const ours = new Set(streams.map(({ topic }) => topic))
  for (const source of shop.sources) {
    if (ours.has(source.topic)) checkSource(store, source, found)
  }
  if (ours.has(shop.ordersTopic)) checkOrders(store, shop, found)
  for (const { topic, events } of shop.waiting) {
    found.notes.push({ where: topic, note: `pending: ${events} events wait in the shop` })
  }
  for (const { topic, events } of shop.setAside) {
    found.notes.push({
      where: topic,
      note: `${events} events are set aside in the shop, not counted`,
    })
  }
  return found
}

function checkSource(
  store: ReadOnlyStore,
  { topic, partition, source, last, waiting }: ShopFigures['sources'][number],
  found: Findings,
) {
  const where = `${topic}/${partition}, source ${source}`
  const counted = readCounted(store, topic, partition, source)
  if (!counted) {
    const note = 'not checkable: the bridge knows the source no more, or its topic was made anew'
    if (waiting.length < last && isForgotten(store, topic, partition))
      found.notes.push({ where, note })
    else if (waiting.length < last) found.differences.push(missing(where, `1 to ${last}`, 'none'))
    return
  }
  const waits = new Set(waiting)
  const open = [...counted.gaps, { from: counted.last + 1, to: last }]
    .filter(({ from, to }) => from <= to)
    .flatMap((gap) => withoutWaiting(gap, waits))
  for (const { from, to } of open) {
    const range = from === to ? `${from}` : `${from} to ${to}`
    found.differences.push(missing(where, `number ${range} counted`, 'never came'))
  }
  if (counted.last > last) {
    found.differences.push(missing(where, `numbers up to ${last}`, `numbers up to ${counted.last}`))
  }
}

function missing(where: string, expected: string, found: string): Difference {
  return { check: 'numbers of the shop', where, expected, found }
}

/** The parts of a gap whose numbers the shop has not brought to Kafka yet are left out. */
function withoutWaiting({ from, to }: Gap, waits: Set<number>): Gap[] {
  const parts: Gap[] = []
  let start = from
  for (const number of [...waits].filter((one) => one >= from && one <= to).sort((a, b) => a - b)) {
    if (number > start) parts.push({ from: start, to: number - 1 })
    start = number + 1
  }
  return start <= to ? [...parts, { from: start, to }] : parts
}

/** What the newest incarnation of the partition knows of the source. */
function readCounted(store: ReadOnlyStore, topic: string, partition: number, source: string) {
  const row = store
    .prepare<[string, number, string], { last: bigint; gaps: string }>(
      `select last, gaps from sources where topic = ? and partition = ? and source = ?
      order by incarnation desc limit 1`,
    )
    .get(topic, partition, source)
  return row && ({ last: Number(row.last), gaps: JSON.parse(row.gaps) } as Counted)
}

/** Sources are forgotten where records were gone before they were read, or the topic was made anew. */
function isForgotten(store: ReadOnlyStore, topic: string, partition: number): boolean {
  const row = store.prepare(
    'select 1 from partitions where topic = ? and partition = ? and (skipped > 0 or incarnation > 1 or start > 0)',
  )
  return row.get(topic, partition) !== undefined
}

/** Orders that left the shop = orders counted, where all of the topic was read and the shop alone writes it. */
function checkOrders(
  store: ReadOnlyStore,
  { orders, ordersTopic: topic, waiting, setAside }: ShopFigures,
  found: Findings,
) {
  const events = (list: ShopFigures['waiting']) =>
    list.reduce((sum, one) => (one.topic === topic ? sum + one.events : sum), 0)
  const left = orders - events(waiting) - events(setAside)
  const row = store
    .prepare<[string], { counted: bigint; unread: bigint }>(
      `select total(accepted + redriven) as counted, total(skipped + start) as unread
      from partitions where topic = ?`,
    )
    .get(topic)
  const counted = Number(row?.counted ?? 0)
  if (counted > left) {
    const note = `${counted - left} events were counted from other producers`
    found.notes.push({ where: topic, note })
  } else if (counted < left && Number(row?.unread ?? 0) > 0) {
    const note = `not checkable: of ${left} orders ${counted} were counted, and not all of the topic was read`
    found.notes.push({ where: topic, note })
  } else if (counted < left) {
    const expected = `${left} orders that left the shop`
    const difference = { where: topic, expected, found: `${counted} counted` }
    found.differences.push({ check: 'orders of the shop', ...difference })
  }
}
