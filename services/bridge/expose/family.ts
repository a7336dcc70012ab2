import { type MetricObjectWithValues, type MetricValue, Registry } from 'prom-client'

export type Labels = Record<string, string>
export type Sample = {
  labels: Labels
  value: number /** When it is not the family's. */
  metricName?: string
}

/** One metric as a page shows it: name, HELP, TYPE and samples, all fixed when it was made. */
export type Family = {
  name: string
  help: string
  type: 'counter' | 'gauge' | 'histogram'
  samples: Sample[]
}

const OPEN_METRICS = /application\/openmetrics-text/

/**
 * The page in the format that `accept` asks for: OpenMetrics, else Prometheus text.
 * prom-client awaits between metrics, which is harmless here: the families no longer change.
 */
export async function renderPage(families: Family[], accept: string | undefined) {
  const registry = new Registry()
  if (accept && OPEN_METRICS.test(accept)) {
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
  }
  for (const { name, help, type, samples } of families) {
    registry.registerMetric(asMetric(name, help, type, samples))
  }
  return { contentType: registry.contentType as string, body: await registry.metrics() }
}

/** What prom-client's registry renders is anything with a name and a `get`. */
function asMetric(name: string, help: string, type: Family['type'], values: Sample[]) {
  const metric = { name, help, type, values, aggregator: 'sum', get: async () => metric }
  return metric as unknown as Parameters<Registry['registerMetric']>[0] & {
    get(): Promise<MetricObjectWithValues<MetricValue<string>>>
  }
}
