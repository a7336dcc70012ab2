import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from '../harness/ports.ts'
import { makeCertificates } from './certificates.ts'
import { kafkaClassPath, missingForKafka } from './distribution.ts'
import { launch } from './launch.ts'
import { type Ports, serverProperties, USER } from './properties.ts'

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
  /** Resolves when the process that runs now is gone, by whatever cause. */
  readonly exited: Promise<unknown>
  /** Starts it again at the same addresses with the same data; ends it in order before if it runs. */
  restart(): Promise<void>
} & AsyncDisposable

export type KafkaOptions = {
  /** Keeps its data here; without it, in a temporary folder that goes with it. */
  folder?: string
  /** Ports in place of free ones. */
  ports?: Partial<Ports>
  /** For measurements: takes longer to start and does more per second. Without it, compiled code stays simple. */
  optimized?: boolean
  /** More lines for `server.properties`. */
  properties?: Record<string, string>
}

/**
 * Formats and starts one Apache Kafka (KRaft, broker and controller in one) on loopback; resolves when it
 * answers. Transactions work; topics are not created by themselves. It does not keep this process alive, and
 * never outlives it, however that ends.
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
  if (!existsSync(join(log, 'meta.properties'))) {
    await format(classPath, properties, newClusterId())
  }

  const javaOptions = options.optimized ? [] : ['-XX:TieredStopAtLevel=1']
  const start = () =>
    launch(classPath, properties, javaOptions, options.folder ? undefined : folder)
  let running = await start()
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
    get exited() {
      return running.exited
    },
    stop,
    kill9: () => running.end('SIGKILL'),
    restart: async () => {
      await running.end('SIGTERM')
      running = await start()
    },
    [Symbol.asyncDispose]: stop,
  }
}

/** Not beginning with a dash, which the tool would take for an option. */
export function newClusterId(): string {
  return `m${Buffer.from(randomUUID().replaceAll('-', ''), 'hex').toString('base64url').slice(1)}`
}

/** Gives a new log folder its cluster id and the SCRAM user. */
export async function format(classPath: string, properties: string, clusterId: string) {
  const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${USER.username},password=${USER.password}]`,
  ])
  await promisify(execFile)('java', [
    ...['-Xmx128m', '-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'],
    ...['-cp', classPath, 'kafka.tools.StorageTool'],
    ...['format', '--cluster-id', clusterId, '--config', properties, ...scram],
  ])
}
