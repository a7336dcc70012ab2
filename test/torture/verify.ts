import { until } from '../harness/until.ts'
import { compareAudit } from './audit.ts'
import { compareCounters, compareMinutes } from './compare-bridge.ts'
import { compareLedger, compareShop, compareViews } from './compare-shop.ts'
import type { Differences } from './differences.ts'
import type { Ledger } from './ledger.ts'
import type { Supervisee } from './pair.ts'
import { ORDER_COLUMNS, REQUEST_COLUMNS, readOrders, readRequests, type Topic } from './recount.ts'
import { Scraper, sumOf } from './scraper.ts'

const SETTLE_DEADLINE_MS = 60_000

export type Verified = {
  /** A broker that can be asked. */
  brokers: string
  shop: Supervisee
  bridge: Supervisee
  ledger: Ledger
  scraper: Scraper
  differences: Differences
}

/** How much there was. */
export type Totals = {
  orders: number
  pageViews: number
  /** Requests that no answer came to. */
  unanswered: number
  /** Requests that the shop could not store, and said so. */
  failed: number
  records: number
  duplicates: number
  /** Records with another timestamp than their event's. */
  restamped: number
  setAside: number
  pages: number
}

/**
 * Waits until nothing is on its way, reads all of it again, ends the shop and the bridge, and adds what does not
 * agree to `differences`: clients, shop, Kafka, counters, minutes and files.
 */
export async function verify(verified: Verified): Promise<Totals> {
  const { brokers, shop, bridge, ledger, scraper, differences } = verified
  const setAside = await settle(shop.url)
  const [orders, requests] = [await readOrders(brokers), await readRequests(brokers)]
  const page = await readToEnd(scraper, [orders, requests])
  compareCounters(page, orders, requests, differences)
  for (const change of scraper.wentBack) differences.add('went back', change)
  for (const { process } of [shop, bridge]) {
    const code = await process.stop()
    if (code !== 0) differences.add('stop', `SIGTERM ended the ${process.name} with ${code}`)
  }
  compareLedger(ledger, shop.dataDir, differences)
  compareShop(orders, shop.dataDir, differences)
  compareViews(ledger, requests, differences)
  compareMinutes(bridge.dataDir, 'orders', ORDER_COLUMNS, orders, differences)
  compareMinutes(bridge.dataDir, 'requests', REQUEST_COLUMNS, requests, differences)
  await compareAudit(brokers, verified, differences)
  return {
    orders: orders.events.length,
    pageViews: requests.events.length,
    unanswered: sum(ledger.asked) - sum(ledger.answered),
    failed: [...ledger.answered].reduce(
      (sum, [key, n]) => (key.endsWith(' 500') ? sum + n : sum),
      0,
    ),
    records: orders.records + requests.records,
    duplicates: orders.duplicates + requests.duplicates,
    restamped: orders.restamped + requests.restamped,
    setAside,
    pages: scraper.pages,
  }
}

/** Resolves when the outbox is empty. @returns events that the shop has set aside. */
async function settle(shopUrl: string): Promise<number> {
  const shop = new Scraper(shopUrl)
  const isEmpty = async () => {
    const page = await shop.scrape()
    if (!page) return undefined
    const waiting = sumOf(page, 'shop_outbox_records')
    if (waiting > 0) throw new Error(`${waiting} events wait in the shop`)
    return { setAside: sumOf(page, 'shop_outbox_set_aside_records') }
  }
  return (await until('the outbox is empty', isEmpty, SETTLE_DEADLINE_MS)).setAside
}

/** The page once all of both topics is read. Is it not in time, the page shows what is missing. */
async function readToEnd(scraper: Scraper, topics: Topic<unknown>[]) {
  const end = topics.flatMap(({ ends }) => [...ends.values()]).reduce((a, b) => a + b, 0)
  const page = () => until('the bridge shows its counters', () => scraper.scrape())
  const isRead = async () => sumOf(await page(), 'meterbridge_position') >= end
  await until('the bridge has read all', isRead, SETTLE_DEADLINE_MS).catch(() => {})
  return page()
}

function sum(sums: Map<string, number>): number {
  return [...sums.values()].reduce((total, value) => total + value, 0)
}
