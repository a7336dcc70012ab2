import type { Family, Labels, Sample } from './family.ts'

/** A Prometheus histogram that takes many values at a call: one `observe` per event would cost more than counting it. */
export class BulkHistogram {
  readonly #name: string
  readonly #help: string
  readonly #bounds: readonly number[]
  readonly #series = new Map<string, { labels: Labels; counts: number[]; sum: number }>()

  /** @param bounds upper bounds, ascending, without infinity. */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name
    this.#help = help
    this.#bounds = bounds
  }

  /** Makes the series of `labels` known, so that it shows before its first value. */
  touch(labels: Labels) {
    const key = JSON.stringify(labels)
    let series = this.#series.get(key)
    if (!series) {
      series = { labels, counts: new Array(this.#bounds.length + 1).fill(0), sum: 0 }
      this.#series.set(key, series)
    }
    return series
  }

  observe(labels: Labels, values: Iterable<number>) {
    const series = this.touch(labels)
    const { counts } = series
    for (const value of values) {
      let i = 0
      while (i < this.#bounds.length && value > this.#bounds[i]!) i++
      counts[i] = counts[i]! + 1
      series.sum += value
    }
  }

  family(): Family {
    const samples: Sample[] = []
    for (const { labels, counts, sum } of this.#series.values()) {
      let total = 0
      for (const [i, count] of counts.entries()) {
        total += count
        const le = i < this.#bounds.length ? String(this.#bounds[i]) : '+Inf'
        samples.push({
          metricName: `${this.#name}_bucket`,
          labels: { ...labels, le },
          value: total,
        })
      }
      samples.push({ metricName: `${this.#name}_sum`, labels, value: sum })
      samples.push({ metricName: `${this.#name}_count`, labels, value: total })
    }
    return { name: this.#name, help: this.#help, type: 'histogram', samples }
  }
}
