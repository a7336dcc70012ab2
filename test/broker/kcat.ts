import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'

const DEADLINE_MS = 20_000

/** The reason to skip what needs kcat, or false. */
export function missingKcat(): string | false {
  return spawnSync('kcat', ['-V']).error ? 'kcat is not installed' : false
}

/**
 * Runs kcat with `input` on its stdin.
 *
 * @returns what it wrote to stdout.
 * @throws Error with its stderr when it fails or takes too long.
 */
export async function kcat(brokers: string, args: string[], input = Buffer.alloc(0)) {
  const child = spawn('kcat', ['-b', brokers, ...args], { timeout: DEADLINE_MS })
  const output: Buffer[] = []
  let errors = ''
  child.stdout.on('data', (data) => output.push(data))
  child.stderr.on('data', (data) => (errors += data))
  child.stdin.on('error', () => {}) // it ended before it read all: told by its exit code
  child.stdin.end(input)
  const [code, signal] = await once(child, 'close')
  if (code === 0) return Buffer.concat(output)
  throw new Error(`kcat ${args.join(' ')} ended with ${code ?? signal}: ${errors}`)
}
