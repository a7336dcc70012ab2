import { Agent, get } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Kafka } from 'kafkajs'
import { untilOk } from '../../test/harness/service.ts'
import { startBridge } from '../bridge.ts'
import { orderValue } from '../pipeline/orders.ts'
import type { Part } from '../report.ts'
import { percentile } from '../statistics.ts'
import { createTopics, ORDERS, PARTITIONS } from '../topics.ts'

const EVENTS_PER_SECOND = 100
/** The first second warms up and is not measured. */
const WARM_UP_EVENTS = 100
const EVENTS = 2_000
/** The page is asked for this often; half of it is part of what is measured. */
const SCRAPE_EVERY_MS = 4
const DEADLINE_MS = 60_000

/** From the moment a producer is given an order to the moment a scrape shows it counted. */
export async function measureLatency(kafka: Kafka, brokers: string): Promise<Part> {
  await createTopics(kafka)
  await using bridge = await startBridge(brokers)
  await untilOk(bridge.service, `${bridge.url}/readyz`)

  const producer = kafka.producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const sentAtMs: number[] = []
  const producing = produce((orderId) => {
    sentAtMs.push(performance.now())
    const message = { partition: orderId % PARTITIONS, value: orderValue(orderId) }
    return producer.send({ topic: ORDERS, messages: [message], acks: -1 })
  })
  const seenAtMs = await scrape(`${bridge.url}/metrics`)
  await producing
  await producer.disconnect()

  const latencies = seenAtMs.map((at, index) => at - (sentAtMs[index] ?? at))
  return toPart(latencies.slice(WARM_UP_EVENTS))
}

/** One order each 10 ms, whether or not those before were acknowledged. */
async function produce(send: (orderId: number) => Promise<unknown>) {
  const began = performance.now()
  const pending: Promise<unknown>[] = []
  for (let orderId = 0; orderId < EVENTS + WARM_UP_EVENTS; orderId += 1) {
    const due = began + (orderId * 1000) / EVENTS_PER_SECOND
    await delay(Math.max(0, due - performance.now()))
    pending.push(send(orderId))
  }
  await Promise.all(pending)
}

/** @returns for each order the time at which a page first showed that many. */
async function scrape(url: string): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const seenAtMs: number[] = []
  const deadline = performance.now() + DEADLINE_MS
  while (seenAtMs.length < EVENTS + WARM_UP_EVENTS) {
    const counted = countOrders(await page(url, agent))
    const now = performance.now()
    while (seenAtMs.length < counted) seenAtMs.push(now)
    if (now > deadline) throw new Error(`${counted} orders are shown after ${DEADLINE_MS} ms`)
    await delay(SCRAPE_EVERY_MS)
  }
  agent.destroy()
  return seenAtMs
}

function countOrders(text: string): number {
  const samples = text.matchAll(/^shop_orders_total\{[^}]*\} (\d+)/gm)
  return samples.reduce((sum, [, value]) => sum + Number(value), 0)
}

function page(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk) => (text += chunk))
      response.on('end', () => resolve(text))
    }).on('error', reject)
  })
}

function toPart(latenciesMs: number[]): Part {
  const figures = {
    eventsPerSecond: EVENTS_PER_SECOND,
    events: latenciesMs.length,
    p50Ms: Number(percentile(latenciesMs, 0.5).toFixed(1)),
    p99Ms: Number(percentile(latenciesMs, 0.99).toFixed(1)),
    maxMs: Number(percentile(latenciesMs, 1).toFixed(1)),
  }
  return {
    title: `From produce to /metrics at ${EVENTS_PER_SECOND} events/s, ${latenciesMs.length} events`,
    header: ['', 'p50 ms', 'p99 ms', 'max ms'],
    rows: [
      [
        'an order sent → a scrape shows it',
        ...[figures.p50Ms, figures.p99Ms, figures.maxMs].map(String),
      ],
    ],
    figures,
  }
}
