import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Kafka } from 'kafkajs'
import { assertRuns, openPositions, startBridge } from '../bridge.ts'
import { cpuSecondsOf, peakRssMiBOf } from '../process.ts'
import { type Part, whole } from '../report.ts'
import { median } from '../statistics.ts'
import { createTopics, ORDERS, PARTITIONS } from '../topics.ts'
import { produceOrders, type Sums } from './orders.ts'
import type { Run } from './run.ts'

const EVENTS = 2_000_000
const ROUNDS = 5
/** A way through takes some 4 s; this is for one that hangs. */
const RUN_TIMEOUT_MS = 180_000
/** How finely the end of the bridge's way is seen. */
const POLL_MS = 5
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
      const run = mode === 'bridge' ? await runBridge(brokers) : await runConsumer(mode, brokers)
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

/** From the first durable commit to the last. */
async function runBridge(brokers: string): Promise<Run> {
  await using bridge = await startBridge(brokers)
  const pid = bridge.service.process.pid ?? 0
  using positions = await openPositions(bridge)
  const deadline = performance.now() + RUN_TIMEOUT_MS
  let first: { events: number; atMs: number; cpuSeconds: number } | undefined
  for (;;) {
    const events = positions.counted()
    const atMs = performance.now()
    if (events > 0) first ??= { events, atMs, cpuSeconds: cpuSecondsOf(pid) }
    if (first && events >= EVENTS) {
      return {
        events: EVENTS - first.events,
        seconds: (atMs - first.atMs) / 1000,
        cpuSeconds: cpuSecondsOf(pid) - first.cpuSeconds,
        peakRssMiB: peakRssMiBOf(pid),
        sums: await sumsOf(bridge.url),
      }
    }
    assertRuns(bridge)
    if (atMs > deadline) throw new Error(`the bridge stands at ${events} of ${EVENTS} events`)
    await delay(POLL_MS)
  }
}

/** The six sums as the counters show them. */
async function sumsOf(url: string): Promise<Sums> {
  const page = await (await fetch(`${url}/metrics`)).text()
  const value = (name: string, payment: string) =>
    Number(new RegExp(`^${name}\\{payment="${payment}"\\} (\\d+)`, 'm').exec(page)?.[1])
  const names = ['shop_orders_total', 'shop_ordered_units_total', 'shop_order_value_total']
  const paid = names.map((name) => value(name, 'prepaid'))
  const all = names.map((name, index) => value(name, 'credit') + (paid[index] ?? 0))
  return [...all, ...paid] as Sums
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
