import { randomUUID } from 'node:crypto'
import { Kafka, logLevel } from 'kafkajs'
import { startKafka } from '../../test/kafka/kafka.ts'
import { drainByBridge } from '../drain.ts'
import { type Headers, produceOrders } from '../pipeline/orders.ts'
import { type Part, whole } from '../report.ts'
import type { Run } from '../run.ts'
import { median } from '../statistics.ts'
import { createTopics, ORDERS, PARTITIONS } from '../topics.ts'

const EVENTS = 2_000_000
const ROUNDS = 5
const TIME = { 'mb-time': String(Date.now()) }

/** What following the records' numbers costs the bridge: the same orders with `mb-time` alone, and with numbers. */
export async function measureNumbering(plain: Kafka, brokers: string): Promise<Part> {
  await using second = await startKafka({ optimized: true })
  const numbered = new Kafka({ brokers: [second.brokers], logLevel: logLevel.NOTHING })
  const sources = Array.from({ length: PARTITIONS }, () => randomUUID())
  process.stdout.write(`writing ${whole(EVENTS)} orders, twice …\n`)
  await fill(plain, () => TIME)
  await fill(numbered, (partition, place) => ({
    ...TIME,
    'mb-source': sources[partition]!,
    'mb-seq': String(place + 1),
  }))
  const runs: Record<'plain' | 'numbered', Run[]> = { plain: [], numbered: [] }
  for (let round = 0; round < ROUNDS; round += 1) {
    runs.plain.push(await drainByBridge(brokers, EVENTS))
    runs.numbered.push(await drainByBridge(second.brokers, EVENTS))
  }
  return toPart(runs)
}

async function fill(kafka: Kafka, headers: Headers) {
  await createTopics(kafka)
  await produceOrders(kafka, ORDERS, EVENTS, headers)
}

function toPart(runs: Record<'plain' | 'numbered', Run[]>): Part {
  const rate = (kind: 'plain' | 'numbered') =>
    median(runs[kind].map((run) => run.events / run.seconds))
  const cpu = (kind: 'plain' | 'numbered') => median(runs[kind].map((run) => run.cpuSeconds))
  const cost = 1 - rate('numbered') / rate('plain')
  const row = (name: string, kind: 'plain' | 'numbered', beside: string) => [
    name,
    whole(rate(kind)),
    cpu(kind).toFixed(2),
    beside,
  ]
  return {
    title: `${whole(EVENTS)} orders that tell their time, with and without a number; median of ${ROUNDS} rounds`,
    header: ['', 'events/s', 'CPU s', 'cost'],
    rows: [row('without', 'plain', ''), row('with', 'numbered', `${(cost * 100).toFixed(1)} %`)],
    figures: {
      events: EVENTS,
      rounds: ROUNDS,
      plainEventsPerSecond: Math.round(rate('plain')),
      numberedEventsPerSecond: Math.round(rate('numbered')),
      plainCpuSeconds: Number(cpu('plain').toFixed(2)),
      numberedCpuSeconds: Number(cpu('numbered').toFixed(2)),
      cost: Number(cost.toFixed(3)),
    },
  }
}
