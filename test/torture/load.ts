import { setTimeout as delay } from 'node:timers/promises'
import { Customer } from './clients.ts'
import type { Ledger } from './ledger.ts'
import { type Scraper, sumOf } from './scraper.ts'

const CUSTOMERS = 4
const SCRAPE_PERIOD_MS = 1_000
const LOOK_PERIOD_MS = 50

/** Customers who order all the time, and a Prometheus that scrapes, until `end`, which resolves when the last is done. */
export function startLoad(shopUrl: string, ledger: Ledger, scraper: Scraper) {
  const stopping = new AbortController()
  const { signal } = stopping
  const walks = Array.from({ length: CUSTOMERS }, (_, i) =>
    new Customer(shopUrl, ledger, `customer${i}`).walk(i % 2 === 0, signal),
  )
  const scrapes = async () => {
    while (!signal.aborted) {
      await scraper.scrape()
      await delay(SCRAPE_PERIOD_MS, undefined, { signal }).catch(() => {})
    }
  }
  const ended = Promise.all([...walks, scrapes()])
  return {
    end: async () => {
      stopping.abort()
      await ended
    },
  }
}

/** Finds out by orders of its own how far counting is. */
export class Probe {
  readonly #customer: Customer
  readonly #scraper: Scraper

  constructor(shopUrl: string, ledger: Ledger, scraper: Scraper) {
    this.#customer = new Customer(shopUrl, ledger, 'probe')
    this.#scraper = scraper
  }

  /**
   * Orders something and waits until the bridge has counted it with all orders before it.
   *
   * @returns ms that this took; undefined when it was not within `deadlineMs`.
   */
  async recovery(deadlineMs: number): Promise<number | undefined> {
    const started = performance.now()
    const deadline = AbortSignal.timeout(deadlineMs)
    const wanted = await this.#order(deadline)
    while (wanted !== undefined && !deadline.aborted) {
      if (((await this.#counted()) ?? 0) >= wanted) return performance.now() - started
      await delay(LOOK_PERIOD_MS)
    }
    return undefined
  }

  /** Orders that are counted and that the shop does not have: what must be none. */
  async excess(deadlineMs: number): Promise<number> {
    const counted = (await this.#counted()) ?? 0
    const placed = await this.#order(AbortSignal.timeout(deadlineMs))
    return Math.max(0, counted - (placed ?? 0))
  }

  async #counted(): Promise<number | undefined> {
    const page = await this.#scraper.scrape()
    return page && sumOf(page, 'shop_orders_total')
  }

  /** The id of a new order: as many orders the shop has. */
  async #order(signal: AbortSignal): Promise<number | undefined> {
    while (!signal.aborted) {
      const order = await this.#customer.order(true, signal)
      if (order?.id !== undefined) return order.id
      await delay(LOOK_PERIOD_MS)
    }
    return undefined
  }
}
