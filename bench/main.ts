import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Kafka, logLevel } from 'kafkajs'
import { missingForKafka, startKafka } from '../test/kafka/kafka.ts'
import { measureLatency } from './latency/measure.ts'
import { machineFacts } from './machine.ts'
import { measureMemory } from './memory/measure.ts'
import { measureNumbering } from './numbering/measure.ts'
import { measurePipeline } from './pipeline/measure.ts'
import { type Part, table } from './report.ts'
import { measureScrape } from './scrape/measure.ts'
import { measureShop } from './shop/measure.ts'

/**
 * `npm run bench [-- <part> …]`: prints a table for each part. Without a part named, all of them run, and
 * results.json beside this file is written.
 */

type Measure = (kafka: Kafka, brokers: string) => Promise<Part>

const PARTS: Record<string, Measure> = {
  pipeline: measurePipeline,
  latency: measureLatency,
  scrape: measureScrape,
  numbering: measureNumbering,
  memory: measureMemory,
  shop: measureShop,
}

const wanted = process.argv.slice(2)
const unknown = wanted.find((name) => !(name in PARTS))
const missing = missingForKafka()
if (unknown !== undefined || missing) {
  const parts = Object.keys(PARTS).join(', ')
  process.stderr.write(`bench: ${missing ?? `"${unknown}" is no part; there are ${parts}`}\n`)
  process.exit(1)
}

const machine = machineFacts()
const { cores, processor, memoryMiB, system, node } = machine
process.stdout.write(
  `${cores} cores (${processor}), ${memoryMiB} MiB, ${system}, Node ${node}, Apache Kafka ${machine.kafka}\n`,
)
const results: Record<string, unknown> = {}
for (const [name, measure] of Object.entries(PARTS)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  // Each part has a Kafka of its own: topics have their fixed names, and start empty.
  await using kafka = await startKafka({ optimized: true })
  const client = new Kafka({ brokers: [kafka.brokers], logLevel: logLevel.NOTHING })
  const part = await measure(client, kafka.brokers)
  results[name] = part.figures
  process.stdout.write(table(part))
}
if (wanted.length === 0) {
  const file = join(import.meta.dirname, 'results.json')
  const content = { measured: new Date().toISOString().slice(0, 10), machine, ...results }
  writeFileSync(file, `${toJson(content)}\n`)
  process.stdout.write(`\nwritten to ${file}\n`)
}

/** Indented, and lists of figures on one line, as the formatter has it. */
function toJson(content: object): string {
  return JSON.stringify(content, null, 2).replaceAll(
    /\[\s+([\d.,\s]+?)\s+\]/g,
    (_, figures: string) => `[${figures.replaceAll(/\s+/g, ' ')}]`,
  )
}
