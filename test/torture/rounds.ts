import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { missingForKafka } from '../kafka/kafka.ts'
import { missingForClock } from './clock.ts'
import { mountDisk, unmountDisk } from './disk.ts'
import { NAMES } from './pair.ts'
import { FAULTS, type FaultName } from './plan.ts'
import { summaryOf } from './summary.ts'
import { torture } from './torture.ts'

/** Started by main.ts, where it may mount if this user may at all: `rounds.ts <rounds> <seed> <can mount> <only>`. */

const [rounds, seed] = process.argv.slice(2, 4).map(Number) as [number, number]
const canMount = process.argv[4] === 'true'
const only = process.argv[5] ?? ''
const say = (line: string) => {
  process.stdout.write(`${line}\n`)
  return 1
}

const interrupted = new AbortController()
process.stdin.on('end', () => interrupted.abort(new Error('interrupted'))).resume()
// They reach main.ts as well, which ends our input.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})

process.exit(await main())

async function main(): Promise<number> {
  const missing = [missingForKafka(), missingForClock, canMount ? undefined : 'mounting needs root']
  const reasons = missing.filter((reason) => reason !== undefined)
  for (const reason of reasons) say(`not everything can be tried: ${reason}`)
  if (missingForKafka() || (reasons.length > 0 && process.env.CI === 'true')) return 1
  const impossible = [canMount ? [] : 'full disk', missingForClock ? 'clock' : []].flat()
  const possible = FAULTS.filter(
    (name) => name.includes(only) && !impossible.some((kind) => name.startsWith(kind)),
  )
  if (possible.length === 0)
    return say(`there is no fault "${only}"; there are ${FAULTS.join(', ')}`)

  // libfaketime keeps something there for each process, and a killed one leaves it.
  if (canMount) mountDisk('/dev/shm')
  const folder = mkdtempSync(join(tmpdir(), 'meterbridge-torture-'))
  say(`seed ${seed}: ${rounds} rounds; data in ${folder}`)
  const failed = await run(folder, possible)
  if (!failed) {
    if (canMount) disksOf(folder).forEach(unmountDisk)
    rmSync(folder, { recursive: true, force: true })
    return interrupted.signal.aborted ? 1 : 0
  }
  // What is mounted goes with the mount.
  for (const disk of canMount ? disksOf(folder) : []) {
    cpSync(disk, `${disk}.kept`, { recursive: true })
  }
  say(`\n${failed}\nseed ${seed}; the data is kept in ${folder}`)
  return 1
}

/** @returns what went wrong; undefined when nothing did, or a person interrupted. */
async function run(folder: string, faults: FaultName[]): Promise<string | undefined> {
  const { signal } = interrupted
  try {
    const result = await torture({ folder, rounds, seed, canMount, faults, signal, say })
    say(`\n${summaryOf(result)}`)
    const { differences } = result
    return differences.length > 0 ? `what differs:\n  ${differences.join('\n  ')}` : undefined
  } catch (error) {
    return signal.aborted ? undefined : (error as Error).stack
  }
}

function disksOf(folder: string): string[] {
  return NAMES.map((name) => join(folder, name)).filter((disk) => existsSync(disk))
}
