import type { Kafka } from 'kafkajs'
import { freePort } from '../../test/harness/ports.ts'
import { type Part, whole } from '../report.ts'
import { median } from '../statistics.ts'
import { CLIENTS, type Load, load } from './load.ts'
import { startBare, startShop } from './servers.ts'

const WARM_UP_SECONDS = 2
const ROUND_SECONDS = 4
const ROUNDS = 3
const ORDER = { email: 'anna@example.com', amount: '7', is_paid_now: 'true' }

/**
 * The home page of the shop beside a bare Hono application with the same page and the same row inserted, in
 * turns; then orders, each on the disk before it is answered. Load and servers share this machine, and
 * with Kafka there, so does it: its share of the processor is part of what is measured.
 */
export async function measureShop(_: Kafka, brokers: string): Promise<Part> {
  const nowhere = `127.0.0.1:${await freePort()}`
  await using bare = await startBare()
  await using shop = await startShop(brokers)
  await using alone = await startShop(nowhere)

  const pages = [bare, shop, alone].map(
    ({ url }) =>
      () =>
        load(`${url}/`, ROUND_SECONDS, 200),
  )
  const orders = [shop, alone].map(
    ({ url }) =>
      () =>
        load(`${url}/order-new`, ROUND_SECONDS, 303, ORDER),
  )
  for (const { url } of [bare, shop, alone]) await load(`${url}/`, WARM_UP_SECONDS, 200)
  const [bareView, view, viewAlone] = await inTurns(pages)
  const unsentAfterViews = await outboxRecords(shop.url)
  const [order, orderAlone] = await inTurns(orders)
  if (!bareView || !view || !viewAlone || !order || !orderAlone) throw new Error('no round ran')

  const beside = (load: Load) => (load.perSecond / bareView.perSecond).toFixed(2)
  const row = (name: string, load: Load, ratio = '') => [
    name,
    whole(load.perSecond),
    load.p50Ms.toFixed(0),
    load.p99Ms.toFixed(0),
    ratio,
  ]
  return {
    title: `shop, ${CLIENTS} clients, median of ${ROUNDS} rounds of ${ROUND_SECONDS} s`,
    header: ['', 'requests/s', 'p50 ms', 'p99 ms', 'beside bare'],
    rows: [
      row('GET /, bare Hono', bareView, '1.00'),
      row('GET /, shop, events sent to Kafka meanwhile', view, beside(view)),
      row('GET /, shop, Kafka away', viewAlone, beside(viewAlone)),
      row('orders, events sent to Kafka meanwhile', order),
      row('orders, Kafka away', orderAlone),
    ],
    figures: {
      bareView,
      view,
      viewAlone,
      order,
      orderAlone,
      unsentAfterViews,
      viewBesideBare: Number(beside(view)),
      viewAloneBesideBare: Number(beside(viewAlone)),
    },
  }
}

/** Shows whether the relay kept up, or its work was left for after the measurement. */
async function outboxRecords(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(/^shop_outbox_records (\d+)$/m.exec(text)?.[1])
}

/** Runs each of them once a round, so that a slow moment of the machine meets all; the medians of the rounds. */
async function inTurns(runs: (() => Promise<Load>)[]): Promise<Load[]> {
  const results: Load[][] = runs.map(() => [])
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [at, run] of runs.entries()) results[at]?.push(await run())
  }
  return results.map((loads) => ({
    perSecond: median(loads.map((load) => load.perSecond)),
    p50Ms: median(loads.map((load) => load.p50Ms)),
    p99Ms: median(loads.map((load) => load.p99Ms)),
  }))
}
