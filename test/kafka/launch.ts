import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 15_000
const OUTPUT_KEPT = 20_000

export type Launched = {
  pid: number
  exited: Promise<unknown>
  /** Resolves when the process is gone; SIGKILL follows where SIGTERM does not end it in time. */
  end(signal: NodeJS.Signals): Promise<void>
}

/**
 * Starts Kafka with these properties and resolves when it serves. It does not keep this process alive, and
 * ends with it.
 *
 * @param temporary a folder to remove when this process dies before it has called `end`.
 * @throws Error with the end of Kafka's output when it does not come up.
 */
export async function launch(
  classPath: string,
  properties: string,
  javaOptions: string[],
  temporary?: string,
): Promise<Launched> {
  const child = spawn(
    'java',
    [
      ...['-Xmx512m', '-Xms256m', '-Djava.awt.headless=true'],
      ...javaOptions,
      '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
      '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
      ...['-cp', classPath, 'kafka.Kafka', properties],
    ],
    // Detached: Ctrl-C reaches its owner, who ends it after those that use it.
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  )
  const exited = once(child, 'exit')
  const pid = child.pid ?? 0
  const guard = guardWith(pid, temporary)
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) {
      child.ref()
      child.kill(signal)
      const late = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
      await exited
      clearTimeout(late)
    }
    guard.kill('SIGKILL')
  }
  try {
    await untilStarted(child, exited)
  } catch (error) {
    await end('SIGKILL')
    throw error
  }
  for (const handle of [child, child.stdout, child.stderr] as unknown as { unref(): void }[]) {
    handle.unref()
  }
  return { pid, exited, end }
}

/** Reads Kafka's output for as long as it runs; resolves at the line that says it serves. */
function untilStarted(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    const fail = (what: string) => reject(new Error(`Kafka ${what}:\n${output}`))
    const late = setTimeout(() => fail(`did not start in ${START_TIMEOUT_MS} ms`), START_TIMEOUT_MS)
    const read = (data: Buffer) => {
      output = (output + data).slice(-OUTPUT_KEPT)
      if (!output.includes('Kafka Server started')) return
      clearTimeout(late)
      resolve()
    }
    child.stdout?.on('data', read)
    child.stderr?.on('data', read)
    exited.then(
      () => fail('ended'),
      (error) => fail(`could not be run (${error.message})`),
    )
  })
}

/** A shell that waits for this process to end, by whatever cause, and then ends Kafka and its folder. */
function guardWith(pid: number, temporary?: string): ChildProcess {
  const script =
    'cat >/dev/null; kill -9 "$1" 2>/dev/null; [ -z "$2" ] || { sleep 1; rm -rf "$2"; }'
  const guard = spawn('sh', ['-c', script, 'sh', String(pid), temporary ?? ''], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  guard.unref()
  ;(guard.stdin as unknown as { unref(): void }).unref()
  return guard
}
