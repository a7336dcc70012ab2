import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { NODE_OPTIONS } from '../runtime/node-options.ts'

const SERVICES = resolve(import.meta.dirname, '..')

export type ServiceName = 'broker' | 'shop' | 'bridge'

/** `told`: `why` is the service's own sentence; otherwise it is how the process ended. `exitCode` null: by a signal. */
export type Ended = { why: string; told: boolean; exitCode: number | null }

export type Service = {
  name: ServiceName
  /** Resolves when the process is gone and all it printed was read. */
  ended: Promise<Ended>
  /** Sends the signal and resolves when the process is gone. */
  end(signal: NodeJS.Signals): Promise<void>
}

/**
 * Starts `services/<name>/main.ts` as a process of its own. Its output comes line by line to `onLine`.
 * In a process group of its own, so that Ctrl-C reaches only us and the order of stopping is ours; the
 * channel tells it when we are gone.
 */
export function startService(
  name: ServiceName,
  environment: NodeJS.ProcessEnv,
  onLine: (line: string) => void,
): Service {
  const script = resolve(SERVICES, name, 'main.ts')
  const child = spawn(process.execPath, [...NODE_OPTIONS, script], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  })
  let sentence: string | undefined
  const read = (line: string) => {
    if (line.startsWith(`${name}: `)) sentence = line.slice(name.length + 2)
    else onLine(line)
  }
  const ended = untilEnded(child, read).then(({ exitCode, signal }) => ({
    why: sentence ?? `it ended with ${signal ? `signal ${signal}` : `exit code ${exitCode}`}`,
    told: sentence !== undefined,
    exitCode,
  }))
  return {
    name,
    ended,
    end: async (signal) => {
      child.kill(signal)
      await ended
    },
  }
}

async function untilEnded(child: ChildProcess, read: (line: string) => void) {
  for (const stream of [child.stdout, child.stderr] as Readable[]) {
    createInterface({ input: stream }).on('line', read)
  }
  const [exitCode, signal] = (await once(child, 'close')) as [number | null, string | null]
  return { exitCode, signal }
}
