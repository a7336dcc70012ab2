import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../harness/ports.ts'
import { makeCertificates } from './certificates.ts'
import { kafkaClassPath, missingForKafka } from './distribution.ts'
import { type Ports, serverProperties, USER } from './properties.ts'

export { KAFKA_VERSION, missingForKafka } from './distribution.ts'
export { useKafka } from './shared.ts'

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 15_000
const OUTPUT_KEPT = 20_000

/** Where a running Kafka is reached. Plain data, so that it can be handed to another process. */
export type KafkaAddresses = {
  /** The plaintext listener, such as `127.0.0.1:20001`. */
  brokers: string
  /** The SASL_SSL listener: PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 with this user. */
  sasl: { brokers: string; username: string; password: string }
  /** `ca`: path of the PEM file with the authority that signed the listener's certificate. */
  tls: { ca: string }
}

export type RunningKafka = KafkaAddresses & {
  readonly pid: number
  /** Ends it in order (SIGTERM) and removes its folder, if that was a temporary one. */
  stop(): Promise<void>
  /** Ends it with SIGKILL; its folder stays for `restart`. */
  kill9(): Promise<void>
  /** Starts it again at the same addresses with the same data; ends it in order before if it runs. */
  restart(): Promise<void>
} & AsyncDisposable

export type KafkaOptions = {
  /** Keeps its data here; without it, in a temporary folder that goes with it. */
  folder?: string
  /** Ports in place of free ones. */
  ports?: Partial<Ports>
  /** More lines for `server.properties`. */
  properties?: Record<string, string>
}

/**
 * Formats and starts one Apache Kafka (KRaft, broker and controller in one) on loopback; resolves when it
 * answers. Transactions work; topics are not created by themselves.
 * It never outlives this process, however that ends.
 *
 * @throws Error with the end of Kafka's own output when it does not come up.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<RunningKafka> {
  const missing = missingForKafka()
  if (missing) throw new Error(missing)
  const classPath = await kafkaClassPath()
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'meterbridge-kafka-'))
  mkdirSync(folder, { recursive: true })
  const ports: Ports = {
    plain: options.ports?.plain ?? (await freePort()),
    secure: options.ports?.secure ?? (await freePort()),
    controller: options.ports?.controller ?? (await freePort()),
  }
  const certificates = makeCertificates(folder)
  const properties = join(folder, 'server.properties')
  const log = join(folder, 'log')
  writeFileSync(
    properties,
    serverProperties(log, ports, certificates.server, options.properties ?? {}),
  )
  await format(classPath, properties)

  const launch = () => launchKafka(classPath, properties, options.folder ? undefined : folder)
  let running = await launch()
  const remove = () => {
    if (!options.folder) rmSync(folder, { recursive: true, force: true })
  }
  const stop = () => running.end('SIGTERM').finally(remove)
  return {
    brokers: `127.0.0.1:${ports.plain}`,
    sasl: { brokers: `127.0.0.1:${ports.secure}`, ...USER },
    tls: { ca: certificates.ca },
    get pid() {
      return running.pid
    },
    stop,
    kill9: () => running.end('SIGKILL'),
    restart: async () => {
      await running.end('SIGTERM')
      running = await launch()
    },
    [Symbol.asyncDispose]: stop,
  }
}

/** Gives the log folder its cluster id and the SCRAM user; a folder that has them stays as it is. */
async function format(classPath: string, properties: string) {
  const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${USER.username},password=${USER.password}]`,
  ])
  const clusterId = Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url')
  await promisify(execFile)('java', [
    ...['-Xmx128m', '-XX:TieredStopAtLevel=1', '-cp', classPath, 'kafka.tools.StorageTool'],
    ...['format', '--ignore-formatted', '--cluster-id', clusterId, '--config', properties],
    ...scram,
  ])
}

async function launchKafka(classPath: string, properties: string, temporary?: string) {
  const child = spawn(
    'java',
    [
      ...['-Xmx512m', '-Xms256m', '-Djava.awt.headless=true'],
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
  return { pid, end }
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
