import { Differences } from './differences.ts'
import { apply } from './faults.ts'
import { Ledger } from './ledger.ts'
import { Probe, startLoad } from './load.ts'
import type { Name, Supervisee } from './pair.ts'
import { type FaultName, planRounds, type Round } from './plan.ts'
import { Scraper } from './scraper.ts'
import { type Totals, verify } from './verify.ts'
import { startWorld } from './world.ts'

/** Counting again by then, or the round is late. */
const LIMIT_MS = 15_000
const LIMIT_AFTER_BRIDGE_KILL_MS = 10_000
/** Not counting again by then, the torture has failed. */
const DEADLINE_MS = 60_000
const READINESS_DEADLINE_MS = 5_000

export type Recovery = { number: number; faults: FaultName[]; ms: number; late: boolean }

export type Result = Totals & {
  recoveries: Recovery[]
  differences: string[]
  /** Of each service: the exit codes with which it ended by itself, and the lines that it printed. */
  services: Record<Name, { exits: (number | null)[]; lines: number }>
}

export type Options = {
  /** An empty folder. */
  folder: string
  rounds: number
  seed: number
  faults: readonly FaultName[]
  canMount: boolean
  signal: AbortSignal
  say(line: string): void
}

/** Disturbs a shop and a bridge on Apache Kafka for some rounds, then compares all there is with all there is. */
export async function torture(options: Options): Promise<Result> {
  const { rounds, signal, say } = options
  await using world = await startWorld(options.folder, options.canMount)
  const { kafka, shop, bridge } = world
  const ledger = new Ledger()
  const scraper = new Scraper(bridge.url)
  const differences = new Differences()
  const probe = new Probe(shop.url, ledger, scraper)
  const recoveries: Recovery[] = []
  const load = startLoad(shop.url, ledger, scraper)
  try {
    for (const round of planRounds(options.seed, options.faults).take(rounds)) {
      await apply(round, world)
      signal.throwIfAborted()
      const ms = await probe.recovery(DEADLINE_MS)
      if (ms === undefined) say(await readiness(bridge.url))
      const recovery = judge(round, recoveries.length + 1, ms)
      recoveries.push(recovery)
      say(line(round, recovery))
      const excess = await probe.excess(DEADLINE_MS)
      if (excess > 0) differences.add('light check', `${excess} orders more than there are`)
    }
  } finally {
    await load.end()
  }
  const { brokers } = kafka
  const totals = await verify({ brokers, shop, bridge, ledger, scraper, differences })
  const of = ({ process }: Supervisee) => ({ exits: process.exits, lines: process.outputLines() })
  const services = { shop: of(shop), bridge: of(bridge) }
  return { ...totals, recoveries, differences: differences.lines, services }
}

/** What the bridge itself says of why it is not counting. */
async function readiness(url: string): Promise<string> {
  const request = fetch(`${url}/readyz`, { signal: AbortSignal.timeout(READINESS_DEADLINE_MS) })
  return request.then((answer) => answer.text()).catch(String)
}

function judge(round: Round, number: number, ms: number | undefined): Recovery {
  const faults = round.map(({ name }) => name)
  if (ms === undefined) {
    throw new Error(`round ${number} (${faults.join(', ')}): not counting after ${DEADLINE_MS} ms`)
  }
  const limit = faults.join() === 'kill bridge' ? LIMIT_AFTER_BRIDGE_KILL_MS : LIMIT_MS
  return { number, faults, ms, late: ms > limit }
}

function line(round: Round, { number, ms, late }: Recovery): string {
  const faults = round.map(({ name, forMs }) => `${name} (${(forMs / 1_000).toFixed(1)} s)`)
  const seconds = `${(ms / 1_000).toFixed(1)} s`
  return `round ${number}: ${faults.join(' + ')}: counting again after ${seconds}${late ? ', LATE' : ''}`
}
