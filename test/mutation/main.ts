import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { NODE_OPTIONS } from '../../services/runtime/node-options.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { MUTATIONS, type Mutation, type TestFile } from './mutations.ts'

/**
 * `npm run test:mutation [-- <part of a name>]`: breaks the program in a copy of this checkout, one way at a time, and
 * expects the tests to notice. Ends with 1 when a mutation survives, or cannot be made.
 */

const ROOT = resolve(import.meta.dirname, '../..')
const TEST_TIMEOUT_MS = 60_000
/** A failing test whose error is one of these shows that the mutated program cannot run, not that it is wrong. */
const NOT_RUNNING = ['SyntaxError', 'ReferenceError']

type Outcome = { caughtBy: string[]; problem?: string }
type Failure = { name: string; error: string }

let running: ChildProcess | undefined
let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted = true
    running?.kill('SIGKILL')
  })
}
process.exitCode = await main(process.argv[2] ?? '')

async function main(part: string): Promise<number> {
  using folder = temporaryFolder()
  copyCheckout(folder.path)
  const mutations = MUTATIONS.filter(({ name }) => name.includes(part))
  let failed = mutations.length === 0 || !(await passes(folder.path, mutations))
  for (const mutation of mutations) {
    if (interrupted) return 1
    const started = performance.now()
    const { caughtBy, problem } = await tryOut(folder.path, mutation)
    failed ||= problem !== undefined
    const seconds = ((performance.now() - started) / 1_000).toFixed(0).padStart(3)
    const told = problem ?? `noticed: ${caughtBy[0]}${more(caughtBy.length - 1)}`
    process.stdout.write(
      `${problem ? 'FAIL' : '  ok'} ${seconds} s  ${mutation.name.padEnd(62)} ${told}\n`,
    )
  }
  return failed ? 1 : 0
}

/** Whether the tests pass while nothing is broken: a failure would prove nothing otherwise. */
async function passes(folder: string, mutations: Mutation[]): Promise<boolean> {
  const tests = new Map(
    mutations.flatMap(({ tests }) => tests).map((test) => [JSON.stringify(test), test]),
  )
  let passed = true
  for (const test of tests.values()) {
    for (const { name, error } of await runTest(folder, test)) {
      passed = false
      process.stdout.write(`FAIL without a mutation: ${test.file}: ${name}: ${error}\n`)
    }
  }
  return passed
}

function more(tests: number): string {
  return tests > 0 ? ` (and ${tests} more)` : ''
}

/** What git knows of, as it is now, with the packages of this checkout. */
function copyCheckout(folder: string) {
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: ROOT },
  )
  for (const path of listed.toString().split('\0').filter(Boolean)) {
    if (existsSync(join(ROOT, path))) cpSync(join(ROOT, path), join(folder, path))
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
}

async function tryOut(folder: string, { file, from, to, tests }: Mutation): Promise<Outcome> {
  const path = join(folder, file)
  const whole = readFileSync(path, 'utf8')
  const places = whole.split(from).length - 1
  if (places !== 1) return { caughtBy: [], problem: `its text is ${places} times in ${file}` }
  writeFileSync(
    path,
    whole.replace(from, () => to),
  )
  const caughtBy: string[] = []
  try {
    for (const test of tests) {
      const failures = await runTest(folder, test)
      if (failures.length === 0) return { caughtBy, problem: `SURVIVED ${test.file}` }
      if (failures.some(({ error }) => NOT_RUNNING.includes(error))) {
        return { caughtBy, problem: 'the mutated program does not run' }
      }
      caughtBy.push(...failures.map(({ name }) => name))
    }
    return { caughtBy }
  } finally {
    writeFileSync(path, whole)
  }
}

async function runTest(folder: string, { file, only }: TestFile): Promise<Failure[]> {
  const child = spawn(
    process.execPath,
    [
      ...[...NODE_OPTIONS, '--test', `--test-timeout=${TEST_TIMEOUT_MS}`],
      ...['--test-reporter', join(folder, 'test/mutation/failures.ts')],
      ...(only ? ['--test-name-pattern', only] : []),
      file,
    ],
    { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  running = child
  let output = ''
  child.stdout.on('data', (data) => (output += data))
  await once(child, 'close')
  return output
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Failure)
}
