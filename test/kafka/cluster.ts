import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../harness/ports.ts'
import { makeCertificates } from './certificates.ts'
import { kafkaClassPath } from './distribution.ts'
import { type Launched, launch } from './launch.ts'
import { serverProperties } from './properties.ts'
import { format, newClusterId } from './server.ts'

const NODES = 3
const JAVA_OPTIONS = ['-XX:TieredStopAtLevel=1', '-Xms128m', '-Xmx384m']
/** Every topic on three nodes, and two of them must have a record before it is acknowledged. */
const REPLICATION = {
  'default.replication.factor': '3',
  'min.insync.replicas': '2',
  'offsets.topic.replication.factor': '3',
  'transaction.state.log.replication.factor': '3',
  'transaction.state.log.min.isr': '2',
}

export type RunningCluster = {
  /** All nodes, as `KAFKA_BROKERS` takes them. */
  brokers: string
  /** Ends each in order (SIGTERM) and starts it again with its data; resolves when it serves. */
  nodes: { restart(): Promise<void> }[]
} & AsyncDisposable

/** Three nodes of Apache Kafka, each broker and controller, with their data below `folder`, which they leave. */
export async function startCluster(folder: string): Promise<RunningCluster> {
  const classPath = await kafkaClassPath()
  const certificates = makeCertificates(folder)
  const nodes = await Promise.all(
    Array.from({ length: NODES }, async (_, i) => ({
      id: i + 1,
      ports: { plain: await freePort(), secure: await freePort(), controller: await freePort() },
    })),
  )
  const voters = nodes.map(({ id, ports }) => `${id}@127.0.0.1:${ports.controller}`).join(',')
  const clusterId = newClusterId()
  await using started = new AsyncDisposableStack()
  const launched = await Promise.all(
    nodes.map(async ({ id, ports }) => {
      const own = join(folder, `node${id}`)
      mkdirSync(own)
      const properties = join(own, 'server.properties')
      const identity = { 'node.id': String(id), 'controller.quorum.voters': voters }
      const more = { ...REPLICATION, ...identity }
      const lines = serverProperties(join(own, 'log'), ports, certificates.server, more)
      writeFileSync(properties, lines)
      await format(classPath, properties, clusterId)
      const start = () => launch(classPath, properties, JAVA_OPTIONS)
      let running: Launched | undefined
      started.defer(async () => running?.end('SIGKILL'))
      running = await start()
      return {
        restart: async () => {
          await running?.end('SIGTERM')
          running = await start()
        },
      }
    }),
  )
  const all = started.move()
  return {
    brokers: nodes.map(({ ports }) => `127.0.0.1:${ports.plain}`).join(),
    nodes: launched,
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  }
}
