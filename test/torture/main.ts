import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { mountingCommand } from './namespace.ts'

/**
 * `npm run test:torture -- [--rounds N] [--seed S] [--only WORDS]`, such as `--only "clock ahead"`. The work is done by rounds.ts in a process that may mount where
 * this user may; it ends when this process ends, however that is.
 */

const DEFAULT_ROUNDS = '10'
const SEEDS = 1_000_000
const STOP_DEADLINE_MS = 60_000

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: DEFAULT_ROUNDS },
    seed: { type: 'string', default: String(Math.floor(Math.random() * SEEDS)) },
    only: { type: 'string', default: '' },
  },
})
const [rounds, seed] = [Number(values.rounds), Number(values.seed)]
if (!Number.isSafeInteger(rounds) || rounds < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write('usage: npm run test:torture -- [--rounds N] [--seed S] [--only WORDS]\n')
  process.exit(2)
}
const mounting = mountingCommand()
const [command = '', ...args] = [
  ...(mounting ?? []),
  process.execPath,
  '--disable-warning=TimeoutNegativeWarning',
  `${import.meta.dirname}/rounds.ts`,
  ...[String(rounds), String(seed), String(mounting !== undefined), values.only],
]
const child = spawn(command, args, { stdio: ['pipe', 'inherit', 'inherit'] })
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    child.stdin.end()
    setTimeout(() => child.kill('SIGKILL'), STOP_DEADLINE_MS).unref()
  })
}
const [code] = await once(child, 'exit')
process.exitCode = code ?? 1
