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
type Numbered = ShopFigures['sources'][number]
type Counted = { last: number; gaps: Gap[] }

const BEHIND = 'the bridge does not run, or is behind'

/**
 * Numbers that the shop gave out = numbers that were counted, per source, topic and partition: what it had sent
 * `before` the store is read is there, and nothing that it has not given out by then.
 *
 * @param isBehind Kafka may hold more than was counted: what is only missing at the end is pending.
 */
export function checkShop(
  store: ReadOnlyStore,
  before: ShopFigures,
  readShop: () => ShopFigures,
  streams: readonly StreamDefinition[],
  isBehind: boolean,
): Findings {
  const found: Findings = { differences: [], notes: [] }
  const ours = new Set(streams.map(({ topic }) => topic))
  const numbered = before.sources
    .filter(({ topic }) => ours.has(topic))
    .map((source) => ({ source, counted: readCounted(store, source) }))
  const events = readEvents(store, before.ordersTopic)
  const shop = readShop()
  for (const { source, counted } of numbered) {
    const now = shop.sources.find((one) => isSame(one, source)) ?? source
    checkSource(store, source, counted, now.last, isBehind, found)
  }
  if (ours.has(shop.ordersTopic)) checkOrders(before, shop, events, isBehind, found)
  for (const { topic, partition, skipped } of readSkipped(store)) {
    if (!before.sources.some((one) => one.topic === topic && one.partition === partition)) continue
    const note = `not checkable: ${skipped} offsets were gone from Kafka before they were read, and what the shop sent there is not counted`
    found.notes.push({ where: `${topic}/${partition}`, note })
  }
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
  { topic, partition, source, last, waiting }: Numbered,
  counted: Counted | undefined,
  lastNow: number,
  isBehind: boolean,
  found: Findings,
) {
  const where = `${topic}/${partition}, source ${source}`
  if (!counted) {
    const note = 'not checkable: the bridge knows the source no more, or its topic was made anew'
    if (waiting.length === last) return
    if (isForgotten(store, topic, partition)) found.notes.push({ where, note })
    else if (isBehind) found.notes.push({ where, note: `pending: none is counted; ${BEHIND}` })
    else found.differences.push(missing(where, `1 to ${last}`, 'none'))
    return
  }
  const waits = new Set(waiting)
  const open = [...counted.gaps, { from: counted.last + 1, to: last }]
    .filter(({ from, to }) => from <= to)
    .flatMap((gap) => withoutWaiting(gap, waits))
  for (const { from, to } of open) {
    const range = from === to ? `${from}` : `${from} to ${to}`
    if (isBehind && from > counted.last) {
      found.notes.push({ where, note: `pending: number ${range} is not counted; ${BEHIND}` })
      continue
    }
    found.differences.push(missing(where, `number ${range} counted`, 'never came'))
  }
  if (counted.last > lastNow) {
    const numbers = (to: number) => `numbers up to ${to}`
    found.differences.push(missing(where, numbers(lastNow), numbers(counted.last)))
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
function readCounted(store: ReadOnlyStore, { topic, partition, source }: Numbered) {
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

/** Partitions of which offsets were gone before they were read. */
function readSkipped(store: ReadOnlyStore) {
  const rows = store.prepare<[], { topic: string; partition: bigint; skipped: bigint }>(
    'select topic, "partition", sum(skipped) as skipped from partitions group by 1, 2 having sum(skipped) > 0',
  )
  return rows.all().map((row) => ({ ...row, partition: Number(row.partition) }))
}

function isSame(one: Numbered, other: Numbered): boolean {
  const { topic, partition, source } = other
  return one.topic === topic && one.partition === partition && one.source === source
}

/** Events counted of a topic, and whether it was read from its start. */
function readEvents(store: ReadOnlyStore, topic: string) {
  const row = store
    .prepare<[string], { counted: number; unread: number }>(
      `select total(accepted + redriven) as counted, total(skipped + start) as unread
      from partitions where topic = ?`,
    )
    .get(topic)!
  return { counted: row.counted, isWhole: row.unread === 0 }
}

/** Orders that left the shop = orders counted, where all of the topic was read and the shop alone writes it. */
function checkOrders(
  before: ShopFigures,
  now: ShopFigures,
  { counted, isWhole }: ReturnType<typeof readEvents>,
  isBehind: boolean,
  found: Findings,
) {
  const where = now.ordersTopic
  const [least, most] = [ordersSent(before), ordersSent(now)]
  const tell = (note: string) => found.notes.push({ where, note })
  if (counted > most) {
    tell(`${counted - most} events were counted from other producers`)
  } else if (counted < least && !isWhole) {
    tell(
      `not checkable: ${least} orders left the shop, ${counted} events were counted, and not all of the topic was read`,
    )
  } else if (counted < least && isBehind) {
    tell(`pending: ${least} orders left the shop, ${counted} events are counted; ${BEHIND}`)
  } else if (counted < least) {
    const expected = `${least} orders that left the shop`
    const difference = { where, expected, found: `${counted} counted` }
    found.differences.push({ check: 'orders of the shop', ...difference })
  }
}

function ordersSent({ orders, ordersTopic, waiting, setAside }: ShopFigures): number {
  const kept = [...waiting, ...setAside].filter(({ topic }) => topic === ordersTopic)
  return orders - kept.reduce((sum, { events }) => sum + events, 0)
}
