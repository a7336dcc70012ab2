import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import { temporaryFolder } from './harness/folder.ts'
import { until } from './harness/until.ts'
import { missingForKafka, type RunningKafka, startKafka } from './kafka/kafka.ts'
import type { Ledger } from './reporters/ledger.ts'

/**
 * `npm test [-- <path> …]`: the checks, then every test file (or those whose path starts with one given),
 * some at a time, with one Apache Kafka for all. Leaves no process behind; with `CI=true` a skipped test fails.
 * `npm run test:long [-- <path> …]` does the same with the files `*.long.ts`, one after the other, without the checks.
 */

const ROOT = resolve(import.meta.dirname, '..')
/** Three files at once, more than the cores that are needed: much of what the tests do is waiting. */
const SHORT = { pattern: 'test/**/*.test.ts', filesAtOnce: 3, timeoutMs: 180_000, checks: true }
const LONG = { pattern: 'test/**/*.long.ts', filesAtOnce: 1, timeoutMs: 1_200_000, checks: false }
const SLOWEST_SHOWN = 5
const STOP_DEADLINE_MS = 5_000

process.chdir(ROOT)
const given = process.argv.slice(2)
const kind = given.includes('--long') ? LONG : SHORT
const wanted = given.filter((argument) => argument !== '--long')
const files = globSync(kind.pattern)
  .sort()
  .filter((file) => wanted.length === 0 || wanted.some((path) => file.startsWith(clean(path))))
const groups = new Set<number>()
const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    interrupted.abort()
    for (const group of groups) signalGroup(group, 'SIGTERM')
  })
}
process.exitCode = await main()

async function main(): Promise<number> {
  if (files.length === 0) return say(`no test file is below ${wanted.join(', ')}`, 1)
  let kafka: RunningKafka | undefined
  try {
    const [started, checked] = await Promise.all([
      startSharedKafka(),
      kind.checks && wanted.length === 0 ? check() : true,
    ])
    kafka = started
    if (interrupted.signal.aborted) return 1
    const passed = await runTests(kafka)
    if (!checked) say('the checks above (biome, tsc) failed')
    return checked && passed && !interrupted.signal.aborted ? 0 : 1
  } finally {
    await kafka?.stop()
  }
}

function clean(path: string): string {
  return relative(ROOT, resolve(process.env.INIT_CWD ?? ROOT, path))
}

function say<T>(line: string, result?: T): T {
  process.stdout.write(`${line}\n`)
  return result as T
}

async function check(): Promise<boolean> {
  const commands = [
    ['biome', 'check', '.'],
    ['tsc', '--noEmit'],
  ]
  const results = await Promise.all(
    commands.map(([command, ...args]) =>
      run(join(ROOT, 'node_modules/.bin', command ?? ''), args, process.env),
    ),
  )
  return results.every((code) => code === 0)
}

/** Only where a chosen file asks for it; each of them would otherwise start its own. */
async function startSharedKafka(): Promise<RunningKafka | undefined> {
  const needed = files.some((file) => readFileSync(file, 'utf8').includes('useKafka('))
  if (!needed || missingForKafka()) return undefined
  return startKafka()
}

async function runTests(kafka: RunningKafka | undefined): Promise<boolean> {
  using folder = temporaryFolder()
  const ledgerFile = join(folder.path, 'ledger.json')
  const code = await run(
    process.execPath,
    [
      ...['--disable-warning=TimeoutNegativeWarning', '--test'],
      ...[`--test-concurrency=${kind.filesAtOnce}`, `--test-timeout=${kind.timeoutMs}`],
      ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
      ...[
        '--test-reporter=./test/reporters/ledger.ts',
        `--test-reporter-destination=${ledgerFile}`,
      ],
      ...files,
    ],
    {
      ...process.env,
      // Compiled once a run, not once for each of the many processes that the tests start.
      NODE_COMPILE_CACHE: join(folder.path, 'compiled'),
      ...(kafka && { TEST_KAFKA: addresses(kafka) }),
    },
  )
  if (interrupted.signal.aborted) return false
  return report(JSON.parse(readFileSync(ledgerFile, 'utf8')) as Ledger) && code === 0
}

function addresses({ brokers, sasl, tls }: RunningKafka): string {
  return JSON.stringify({ brokers, sasl, tls })
}

/** Prints the slowest files and what was skipped. @returns whether that is good enough. */
function report({ files: ran, skipped }: Ledger): boolean {
  const slowest = ran.sort((a, b) => b.durationMs - a.durationMs).slice(0, SLOWEST_SHOWN)
  say('\nslowest test files:')
  for (const { file, durationMs } of slowest) {
    say(`  ${(durationMs / 1000).toFixed(1).padStart(5)} s  ${relative(ROOT, file)}`)
  }
  for (const { name, reason } of skipped) say(`skipped: ${name} (${reason})`)
  if (skipped.length === 0 || process.env.CI !== 'true') return true
  return say(`with CI=true nothing may be skipped; ${skipped.length} were`, false)
}

/**
 * Runs a command in a process group of its own, and ends whatever of that group is left when it is over.
 *
 * @returns its exit code; 1 when it left processes behind.
 */
async function run(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(command, args, {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  })
  const group = child.pid ?? 0
  groups.add(group)
  try {
    const [code] = (await once(child, 'exit')) as [number | null]
    if (!(await endGroup(group)) && !interrupted.signal.aborted) {
      return say(
        `${basename(command)} left processes running (a test must end what it starts); they were ended`,
        1,
      )
    }
    return code ?? 1
  } finally {
    groups.delete(group)
  }
}

/** @returns whether the group was empty. */
async function endGroup(group: number): Promise<boolean> {
  if (!signalGroup(group, 'SIGTERM')) return true
  await until('the process group is empty', () => !signalGroup(group, 0), STOP_DEADLINE_MS).catch(
    () => signalGroup(group, 'SIGKILL'),
  )
  return false
}

function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-group, signal)
  } catch {
    return false
  }
}
