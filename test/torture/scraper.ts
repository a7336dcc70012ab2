import { samplesOf } from '../prometheus/page.ts'

const TIMEOUT_MS = 2_000
const COUNTER = /^# TYPE (\S+) counter$/gm
/** Counters of the process, which begin again with it; the others are durable. */
const PER_PROCESS = ['meterbridge_rollup_errors_total']
/** No counter, and yet it goes only on. */
const POSITION = 'meterbridge_position'

type Page = Map<string, number>

/** Reads a bridge's page, and watches that no durable counter goes back or away, whatever happens to the process. */
export class Scraper {
  readonly #url: string
  #highest: Page = new Map()
  /** One line for each counter that went back. */
  readonly wentBack: string[] = []
  pages = 0

  constructor(url: string) {
    this.#url = url
  }

  /** The page now; undefined while the bridge has none to show. */
  async scrape(): Promise<Page | undefined> {
    let text: string
    const before = this.#highest
    try {
      const response = await fetch(`${this.#url}/metrics`, {
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      text = await response.text()
      if (!response.ok) return undefined
    } catch {
      return undefined
    }
    this.pages += 1
    const page: Page = new Map()
    for (const { labels, value } of samplesOf(text)) page.set(JSON.stringify(labels), value)
    this.#compare(before, page, durable(text))
    return page
  }

  /** @param before what was known when the page was asked for: pages may overtake each other. */
  #compare(before: Page, page: Page, names: Set<string>) {
    for (const [series, value] of before) {
      const now = page.get(series)
      if (now !== undefined && now >= value) continue
      this.wentBack.push(`${series}: ${value}, then ${now ?? 'not there'}`)
    }
    this.#highest = new Map(this.#highest)
    for (const [series, value] of page) {
      if (!names.has(JSON.parse(series).__name__)) continue
      this.#highest.set(series, Math.max(value, this.#highest.get(series) ?? 0))
    }
  }
}

/** Sum of the samples of `name` whose labels include `labels`. */
export function sumOf(page: Page, name: string, labels: Record<string, string> = {}): number {
  let sum = 0
  for (const [series, value] of page) {
    const found = JSON.parse(series) as Record<string, string>
    if (found.__name__ !== name) continue
    if (Object.entries(labels).every(([label, text]) => found[label] === text)) sum += value
  }
  return sum
}

function durable(text: string): Set<string> {
  const counters = [...text.matchAll(COUNTER)].map(([, name = '']) => name)
  return new Set([...counters.filter((name) => !PER_PROCESS.includes(name)), POSITION])
}
