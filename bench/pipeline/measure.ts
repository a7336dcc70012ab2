import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Kafka } from 'kafkajs'
import { drainByBridge } from '../drain.ts'
import { type Part, whole } from '../report.ts'
import type { Run } from '../run.ts'
import { median } from '../statistics.ts'
import { createTopics, ORDERS, PARTITIONS } from '../topics.ts'
import { produceOrders } from './orders.ts'

const EVENTS = 2_000_000
const ROUNDS = 5
/** A way through takes some 4 s; this is for one that hangs. */
const RUN_TIMEOUT_MS = 180_000
const CONSUME = join(import.meta.dirname, 'consume.ts')

const MODES = {
  noop: '(1) kafkajs eachBatch that does nothing',
  sums: '(2) the same with JSON.parse and six sums',
  bridge: '(3) the bridge: validated, counted, durable',
}
type Mode = keyof typeof MODES
const TURNS: Mode[] = ['noop', 'sums', 'bridge']

/** Three ways through the same orders, in turn, each in a process of its own. */
export async function measurePipeline(kafka: Kafka, brokers: string): Promise<Part> {
  await fillTopic(kafka)
  const runs: Record<Mode, Run[]> = { noop: [], sums: [], bridge: [] }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (let turn = 0; turn < TURNS.length; turn += 1) {
      const mode = TURNS[(round + turn) % TURNS.length] ?? 'noop'
      const run =
        mode === 'bridge' ? await drainByBridge(brokers, EVENTS) : await runConsumer(mode, brokers)
      runs[mode].push(run)
      process.stdout.write(`  ${mode} ${whole(run.events / run.seconds)} events/s\n`)
    }
  }
  return toPart(runs)
}

async function fillTopic(kafka: Kafka) {
  await createTopics(kafka)
  process.stdout.write(`writing ${whole(EVENTS)} orders …\n`)
  await produceOrders(kafka, ORDERS, EVENTS)
}

async function runConsumer(mode: Mode, brokers: string): Promise<Run> {
  const args = ['--disable-warning=TimeoutNegativeWarning', CONSUME]
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...args, mode, brokers, ORDERS, String(EVENTS)],
    { timeout: RUN_TIMEOUT_MS },
  )
  return JSON.parse(stdout) as Run
}

function toPart(runs: Record<Mode, Run[]>): Part {
  const [expected] = runs.sums
  for (const { sums } of [...runs.sums, ...runs.bridge]) {
    if (String(sums) !== String(expected?.sums)) {
      throw new Error(`the sums differ: ${sums} and ${expected?.sums}`)
    }
  }
  const of = (mode: Mode, pick: (run: Run) => number) => median(runs[mode].map(pick))
  const rate = (mode: Mode) => of(mode, (run) => run.events / run.seconds)
  const figures = Object.fromEntries(
    TURNS.map((mode) => [
      mode,
      {
        eventsPerSecond: Math.round(rate(mode)),
        cpuSeconds: Number(of(mode, (run) => run.cpuSeconds).toFixed(2)),
        peakRssMiB: Math.round(of(mode, (run) => run.peakRssMiB)),
        besideSums: Number((rate(mode) / rate('sums')).toFixed(3)),
        eventsPerSecondOfEachRound: runs[mode].map((run) => Math.round(run.events / run.seconds)),
      },
    ]),
  )
  return {
    title: `${whole(EVENTS)} orders of about 80 bytes on ${PARTITIONS} partitions; median of ${ROUNDS} rounds`,
    header: ['', 'events/s', 'beside (2)', 'CPU s', 'peak RSS MiB'],
    rows: TURNS.map((mode) => [
      MODES[mode],
      whole(rate(mode)),
      (rate(mode) / rate('sums')).toFixed(2),
      of(mode, (run) => run.cpuSeconds).toFixed(1),
      whole(of(mode, (run) => run.peakRssMiB)),
    ]),
    figures: { events: EVENTS, partitions: PARTITIONS, rounds: ROUNDS, ...figures },
  }
}
