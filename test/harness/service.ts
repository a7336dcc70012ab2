import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import { NODE_OPTIONS } from '../../services/runtime/node-options.ts'
import { until } from './until.ts'

const ROOT = resolve(import.meta.dirname, '../..')

/** A started process of ours: its output so far, and ways to end it. */
export type Service = {
  process: ChildProcess
  /** Everything printed so far, stdout and stderr together. */
  output(): string
  /** Resolves with the exit code (null after a kill by signal) once it has ended by itself or by a signal. */
  exited: Promise<number | null>
  /** Sends the signal and resolves with the exit code (null after a kill by signal). */
  end(signal?: NodeJS.Signals): Promise<number | null>
} & AsyncDisposable

/**
 * Starts `node <script>` from the repository's root with `environment` and nothing else of ours set.
 *
 * @param script such as `services/shop/main.ts`.
 */
export function startService(
  script: string,
  environment: Record<string, string>,
  args: string[] = [],
): Service {
  const clean = Object.entries(process.env).filter(([name]) => !/^(METERBRIDGE|KAFKA)_/.test(name))
  const child = spawn(process.execPath, [...NODE_OPTIONS, resolve(ROOT, script), ...args], {
    cwd: tmpdir(), // where no .env of a person lies
    env: { ...Object.fromEntries(clean), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  child.stdout?.on('data', (data) => (text += data))
  child.stderr?.on('data', (data) => (text += data))
  const exited = once(child, 'exit').then(([code]) => code as number | null)
  const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    return exited
  }
  return {
    process: child,
    output: () => text,
    exited,
    end,
    [Symbol.asyncDispose]: async () => void (await end('SIGKILL')),
  }
}

/** Waits until `url` answers 200. @throws Error with the service's output when it ends before. */
export async function untilOk(service: Service, url: string, deadlineMs = 20_000) {
  await until(
    `${url} answers 200`,
    async () => {
      if (service.process.exitCode !== null) return 'ended'
      return (await fetch(url)).ok ? 'ok' : undefined
    },
    deadlineMs,
  )
    .catch((error) => {
      throw new Error(`${error.message}; the service printed:\n${service.output()}`)
    })
    .then((state) => {
      if (state === 'ended') throw new Error(`ended before ${url} answered:\n${service.output()}`)
    })
}
