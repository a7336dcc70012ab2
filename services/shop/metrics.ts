import { Gauge, Histogram, type OpenMetricsContentType, Registry } from 'prom-client'
import { knownResponses, methodLabel, type Route } from './http/routes.ts'
import type { Outbox } from './outbox/outbox.ts'

const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
const MS_PER_SECOND = 1_000

export type Metrics = {
  observe(route: Route, method: string, code: number, seconds: number): void
  /** The page in the format that the `Accept` header asks for: Prometheus text, or OpenMetrics. */
  render(accept: string | undefined): Promise<{ contentType: string; body: string }>
}

/** What the shop tells about itself; every value is read when it is asked for. */
export function createMetrics(outbox: Outbox, version: string): Metrics {
  const text = new Registry()
  const openMetrics = new Registry<OpenMetricsContentType>()
  openMetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  const registers = [text, openMetrics]

  const duration = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time from a request to one of the three pages until its answer was ready, everything stored. Methods that no page knows are `other`.',
    labelNames: ['route', 'method', 'code'],
    buckets: BUCKETS_SECONDS,
    registers,
  })
  for (const labels of knownResponses()) duration.zero(labels)

  new Gauge({
    name: 'shop_outbox_records',
    help: 'Events that are stored and not yet acknowledged by Kafka.',
    registers,
    collect() {
      this.set(outbox.records)
    },
  })
  new Gauge({
    name: 'shop_outbox_oldest_timestamp_seconds',
    help: 'When the oldest event in the outbox happened, in Unix time. Absent while the outbox is empty, so that `time() - x` has a value only when something waits.',
    registers,
    collect() {
      const oldest = outbox.oldestEventTime()
      if (oldest === undefined) this.remove()
      else this.set(oldest / MS_PER_SECOND)
    },
  })
  new Gauge({
    name: 'shop_outbox_set_aside_records',
    help: 'Events that Kafka refuses for good, kept in the table outbox_set_aside for a person to judge.',
    registers,
    collect() {
      this.set(outbox.setAsideRecords)
    },
  })
  new Gauge({
    name: 'shop_build_info',
    help: 'Always 1; the labels name the running version.',
    labelNames: ['version', 'node'],
    registers,
  }).set({ version, node: process.versions.node }, 1)

  return {
    observe: (route, method, code, seconds) =>
      duration.observe({ route, method: methodLabel(method), code }, seconds),
    async render(accept) {
      const registry = accept?.includes('application/openmetrics-text') ? openMetrics : text
      return { contentType: registry.contentType, body: await registry.metrics() }
    },
  }
}
