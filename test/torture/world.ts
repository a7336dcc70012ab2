import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createTopics } from '../e2e/topics.ts'
import { freePort } from '../harness/ports.ts'
import { type RunningKafka, startKafka } from '../kafka/kafka.ts'
import { type Clock, createClock } from './clock.ts'
import { mountDisk } from './disk.ts'
import { NAMES, type Name, type Supervisee, startSupervised } from './pair.ts'
import { startProxy, type TcpProxy } from './proxy.ts'

const PARTITIONS = 3

/** One of our services with all that can be done to it. Its data folder is a disk of its own, where that is possible. */
export type Victim = Supervisee & {
  clock: Clock
  /** Its way to Kafka. */
  proxy: TcpProxy
}

export type World = { kafka: RunningKafka } & Record<Name, Victim> & AsyncDisposable

type Ways = Record<Name, { port: number; proxyPort: number }>

/** Starts Kafka, the shop and the bridge below `folder`; resolves when shop and bridge answer. */
export async function startWorld(folder: string, canMount: boolean): Promise<World> {
  await using started = new AsyncDisposableStack()
  const ports = { plain: await freePort(), secure: await freePort(), controller: await freePort() }
  const ways: Ways = {
    shop: { port: await freePort(), proxyPort: await freePort() },
    bridge: { port: await freePort(), proxyPort: await freePort() },
  }
  const properties = listeners(ports, ways)
  const kafka = started.use(await startKafka({ folder: join(folder, 'kafka'), ports, properties }))
  await createTopics(kafka.brokers, PARTITIONS)

  const start = async (name: Name): Promise<Victim> => {
    const { port, proxyPort } = ways[name]
    const proxy = started.use(await startProxy(proxyPort, port))
    mkdirSync(join(folder, name))
    if (canMount) mountDisk(join(folder, name))
    const clock = createClock(join(folder, `${name}.clock`))
    const brokers = { KAFKA_BROKERS: `127.0.0.1:${proxyPort}` }
    const service = await startSupervised(name, folder, { ...clock.environment, ...brokers })
    return { ...started.use(service), clock, proxy }
  }
  const [shop, bridge] = [await start('shop'), await start('bridge')]
  const all = started.move()
  return { kafka, shop, bridge, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** A listener for each service, advertised as its proxy: Kafka's clients go where Kafka tells them. */
function listeners(
  { plain, secure, controller }: { plain: number; secure: number; controller: number },
  ways: Ways,
): Record<string, string> {
  const own = `PLAINTEXT://127.0.0.1:${plain},SASL_SSL://127.0.0.1:${secure}`
  const at = (port: 'port' | 'proxyPort') =>
    NAMES.map((name) => `${name.toUpperCase()}://127.0.0.1:${ways[name][port]}`).join(',')
  return {
    listeners: `${own},CONTROLLER://127.0.0.1:${controller},${at('port')}`,
    'advertised.listeners': `${own},${at('proxyPort')}`,
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT,SHOP:PLAINTEXT,BRIDGE:PLAINTEXT',
  }
}
