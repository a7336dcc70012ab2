import type { Kafka } from 'kafkajs'
import { drainByBridge } from '../drain.ts'
import { produceOrders } from '../pipeline/orders.ts'
import { rssMiBOf } from '../process.ts'
import { type Part, whole } from '../report.ts'
import { median } from '../statistics.ts'
import { createTopics, ORDERS } from '../topics.ts'

const EVENTS = 10_000_000
const QUARTERS = 4

/** The bridge's memory over ten million orders: whether it grows with what it has counted. */
export async function measureMemory(kafka: Kafka, brokers: string): Promise<Part> {
  await createTopics(kafka)
  process.stdout.write(`writing ${whole(EVENTS)} orders …\n`)
  await produceOrders(kafka, ORDERS, EVENTS)
  const samples: number[][] = Array.from({ length: QUARTERS }, () => [])
  const run = await drainByBridge(brokers, EVENTS, (counted, pid) => {
    if (counted > 0 && counted < EVENTS) {
      samples[Math.floor((counted / EVENTS) * QUARTERS)]?.push(rssMiBOf(pid))
    }
  })
  const medians = samples.map((quarter) => Math.round(median(quarter)))
  const growth = medians.at(-1)! / medians[1]! - 1
  return {
    title: `Resident memory over ${whole(EVENTS)} orders, median of each quarter, MiB`,
    header: ['', 'first', 'second', 'third', 'last', 'peak', 'last beside second'],
    rows: [
      [
        'bridge',
        ...medians.map(String),
        whole(run.peakRssMiB),
        `${growth < 0 ? '' : '+'}${(growth * 100).toFixed(1)} %`,
      ],
    ],
    figures: {
      events: EVENTS,
      rssMiBOfEachQuarter: medians,
      peakRssMiB: Math.round(run.peakRssMiB),
      lastBesideSecond: Number(growth.toFixed(3)),
      eventsPerSecond: Math.round(run.events / run.seconds),
    },
  }
}
