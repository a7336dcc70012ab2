import type { Kafka } from 'kafkajs'
import { temporaryFolder } from '../../test/harness/folder.ts'
import { untilOk } from '../../test/harness/service.ts'
import { startBridge } from '../bridge.ts'
import { type Part, whole } from '../report.ts'
import { median } from '../statistics.ts'
import { createTopics } from '../topics.ts'
import { fillStore } from './fill.ts'

const SERIES = [1_000, 10_000, 100_000]
const WARM_UP = 3
const SCRAPES = 15

type Scrape = { series: number; milliseconds: number; bytes: number }

/** How long `/metrics` takes, from the request to the page's last byte, by the number of series in the store. */
export async function measureScrape(kafka: Kafka, brokers: string): Promise<Part> {
  await createTopics(kafka)
  const scrapes: Scrape[] = []
  for (const series of SERIES) scrapes.push(await scrapeAt(series, brokers))
  return {
    title: `/metrics, median of ${SCRAPES} scrapes`,
    header: ['series', 'ms', 'page KiB'],
    rows: scrapes.map(({ series, milliseconds, bytes }) => [
      whole(series),
      milliseconds.toFixed(1),
      whole(bytes / 1024),
    ]),
    figures: Object.fromEntries(
      scrapes.map(({ series, milliseconds, bytes }) => [
        `series${series}`,
        { milliseconds: Number(milliseconds.toFixed(1)), bytes },
      ]),
    ),
  }
}

async function scrapeAt(series: number, brokers: string): Promise<Scrape> {
  using folder = temporaryFolder()
  await fillStore(folder.path, series)
  await using bridge = await startBridge(brokers, folder.path)
  await untilOk(bridge.service, `${bridge.url}/readyz`)
  const durations: number[] = []
  let page = ''
  for (let count = 0; count < WARM_UP + SCRAPES; count += 1) {
    const began = performance.now()
    page = await (await fetch(`${bridge.url}/metrics`)).text()
    if (count >= WARM_UP) durations.push(performance.now() - began)
  }
  const shown = page.match(/^web_requests_total\{route="\/product\//gm)?.length
  if (shown !== series) throw new Error(`the page shows ${shown} of ${series} series`)
  return { series, milliseconds: median(durations), bytes: Buffer.byteLength(page) }
}
