import { mkdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../harness/until.ts'
import { Customer } from './clients.ts'
import {
  compareCounters,
  compareLedger,
  compareMinutes,
  compareShop,
  compareViews,
  Differences,
} from './compare.ts'
import { apply } from './faults.ts'
import { Ledger } from './ledger.ts'
import { type FaultName, planRounds, type Round } from './plan.ts'
import { ORDER_COLUMNS, REQUEST_COLUMNS, readOrders, readRequests } from './recount.ts'
import { Scraper, sumOf } from './scraper.ts'
import { startWorld, type World } from './world.ts'

const CUSTOMERS = 4
const SCRAPE_PERIOD_MS = 1_000
const LOOK_PERIOD_MS = 50
/** Counting again by then, or the round is late. */
const LIMIT_MS = 15_000
const LIMIT_AFTER_BRIDGE_KILL_MS = 10_000
/** Not counting again by then, the torture has failed. */
const DEADLINE_MS = 60_000

export type Recovery = { round: number; faults: FaultName[]; ms: number; late: boolean }

export type Result = {
  rounds: number
  recoveries: Recovery[]
  differences: string[]
  orders: number
  pageViews: number
  requestsWithoutAnswer: number
  records: number
  duplicates: number
  setAside: number
  pages: number
  /** Exit codes of processes that ended by themselves. */
  exits: Record<'shop' | 'bridge', (number | null)[]>
}

export type Options = {
  folder: string
  rounds: number
  seed: number
  faults: readonly FaultName[]
  canMount: boolean
  signal: AbortSignal
  say(line: string): void
}

/** Disturbs a shop and a bridge on Apache Kafka for some rounds, then compares all there is with all there is. */
export async function torture(options: Options): Promise<Result> {
  const { folder, seed, signal, say } = options
  mkdirSync(folder, { recursive: true })
  await using world = await startWorld(folder, options.canMount)
  const ledger = new Ledger()
  const scraper = new Scraper(world.bridge.url)
  const stopping = new AbortController()
  const load = startLoad(world, ledger, scraper, stopping.signal)
  const differences = new Differences()
  const recoveries: Recovery[] = []
  const probe = new Customer(world.shop.url, ledger, 'probe')

  try {
    let number = 0
    for (const round of planRounds(seed, options.faults)) {
      if (number === options.rounds || signal.aborted) break
      number += 1
      await apply(round, world)
      const recovery = await recover(number, round, probe, scraper, differences)
      recoveries.push(recovery)
      say(line(round, recovery))
    }
  } finally {
    stopping.abort()
    await load
  }
  signal.throwIfAborted()

  const page = await settle(world, scraper, ledger)
  return await finish({ world, ledger, scraper, page, differences, recoveries })
}

function startLoad({ shop }: World, ledger: Ledger, scraper: Scraper, signal: AbortSignal) {
  const customers = Array.from({ length: CUSTOMERS }, (_, i) =>
    new Customer(shop.url, ledger, `customer${i}`).walk(i % 2 === 0, signal),
  )
  const scraping = async () => {
    while (!signal.aborted) {
      await scraper.scrape()
      await delay(SCRAPE_PERIOD_MS, undefined, { signal }).catch(() => {})
    }
  }
  return Promise.all([...customers, scraping()])
}

/** Orders something and waits until the bridge has counted it, with all orders before. */
async function recover(
  number: number,
  round: Round,
  probe: Customer,
  scraper: Scraper,
  differences: Differences,
): Promise<Recovery> {
  const started = performance.now()
  const faults = round.map(({ name }) => name)
  const deadline = AbortSignal.timeout(DEADLINE_MS)
  const counted = async () => {
    const page = await scraper.scrape()
    return page && sumOf(page, 'shop_orders_total')
  }
  const id = await shownId(probe, deadline)
  while (((await counted()) ?? 0) < id) {
    if (deadline.aborted) {
      throw new Error(
        `round ${number} (${faults.join(', ')}): not counting after ${DEADLINE_MS} ms`,
      )
    }
    await delay(LOOK_PERIOD_MS)
  }
  const ms = performance.now() - started
  const before = (await counted()) ?? 0
  const next = await shownId(probe, deadline)
  if (before > next) differences.add('light check', `${before} orders counted of ${next}`)
  const limit = faults.join() === 'kill bridge' ? LIMIT_AFTER_BRIDGE_KILL_MS : LIMIT_MS
  return { round: number, faults, ms, late: ms > limit }
}

/** The id of a new order: as many orders the shop has. */
async function shownId(probe: Customer, signal: AbortSignal): Promise<number> {
  for (;;) {
    const order = await probe.order(true, signal)
    if (order?.id !== undefined) return order.id
    signal.throwIfAborted()
    await delay(LOOK_PERIOD_MS)
  }
}

function line(round: Round, { round: number, ms, late }: Recovery): string {
  const faults = round.map(({ name, forMs }) => `${name} (${(forMs / 1_000).toFixed(1)} s)`)
  const seconds = `${(ms / 1_000).toFixed(1)} s`
  return `round ${number}: ${faults.join(' + ')}: counting again after ${seconds}${late ? ', LATE' : ''}`
}

/** Waits until nothing is on its way any more. @returns the bridge's page then. */
async function settle({ shop }: World, scraper: Scraper, ledger: Ledger) {
  const taken = ledger.orders.filter(({ outcome }) => outcome === 'taken').length
  return await until(
    'all that waits in the shop is counted',
    async () => {
      const waiting = sumOf((await new Scraper(shop.url).scrape())!, 'shop_outbox_records')
      if (waiting > 0) throw new Error(`${waiting} events wait in the shop`)
      const page = await scraper.scrape()
      if (!page || sumOf(page, 'shop_orders_total') < taken) return undefined
      const lag = sumOf(page, 'meterbridge_consumer_lag_records')
      return lag === 0 && sumOf(page, 'meterbridge_caught_up') === 2 ? page : undefined
    },
    DEADLINE_MS,
  )
}

type Finish = {
  world: World
  ledger: Ledger
  scraper: Scraper
  page: Map<string, number>
  differences: Differences
  recoveries: Recovery[]
}

async function finish({
  world,
  ledger,
  scraper,
  differences,
  recoveries,
}: Finish): Promise<Result> {
  const { shop, bridge, kafka } = world
  const [orders, requests] = [await readOrders(kafka.brokers), await readRequests(kafka.brokers)]
  const page = await until('the bridge shows its counters', () => scraper.scrape())
  compareCounters(page, orders, requests, differences)
  for (const change of scraper.wentBack) differences.add('went back', change)
  const setAside = sumOf(
    (await new Scraper(shop.url).scrape()) ?? new Map(),
    'shop_outbox_set_aside_records',
  )
  for (const { process } of [shop, bridge]) {
    const code = await process.stop()
    if (code !== 0) differences.add('stop', `SIGTERM ended the ${process.name} with ${code}`)
  }
  compareLedger(ledger, shop.disk, differences)
  compareShop(orders, shop.disk, differences)
  compareViews(ledger, requests, differences)
  compareMinutes(bridge.disk, 'orders', ORDER_COLUMNS, orders, differences)
  compareMinutes(bridge.disk, 'requests', REQUEST_COLUMNS, requests, differences)
  const asked = sum(ledger.asked)
  return {
    rounds: recoveries.length,
    recoveries,
    differences: differences.lines,
    orders: orders.events.length,
    pageViews: requests.events.length,
    requestsWithoutAnswer: asked - sum(ledger.answered),
    records: orders.records + requests.records,
    duplicates: orders.duplicates + requests.duplicates,
    setAside,
    pages: scraper.pages,
    exits: { shop: shop.process.exits, bridge: bridge.process.exits },
  }
}

function sum(sums: Map<string, number>): number {
  return [...sums.values()].reduce((total, value) => total + value, 0)
}
