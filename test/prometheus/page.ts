import type { Sample } from './server.ts'

const SAMPLE = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/gm
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g

/** The samples of a `/metrics` page in Prometheus's text format; the name is the label `__name__`. */
export function samplesOf(page: string): Sample[] {
  return [...page.matchAll(SAMPLE)].map(([, name = '', labels = '', value]) => ({
    labels: {
      __name__: name,
      ...Object.fromEntries([...labels.matchAll(LABEL)].map(([, label, text]) => [label, text])),
    },
    value: Number(value),
  }))
}

/** One line per sample, sorted, without the labels that the scrape adds: comparable from page and query. */
export function lines(samples: Sample[]): string[] {
  return samples
    .map(({ labels: { job: _, instance: __, ...labels }, value }) => {
      const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
      return `${JSON.stringify(sorted)} ${value}`
    })
    .sort()
}
