import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createTopics } from '../e2e/topics.ts'
import { freePort } from '../harness/ports.ts'
import { startService, untilOk } from '../harness/service.ts'
import { type RunningKafka, startKafka } from '../kafka/kafka.ts'
import { type Clock, createClock } from './clock.ts'
import { mountDisk } from './disk.ts'
import { startProxy, type TcpProxy } from './proxy.ts'
import { Supervised } from './supervised.ts'

const PARTITIONS = 3
export const SERVICES = ['shop', 'bridge'] as const
export type ServiceName = (typeof SERVICES)[number]

/** One of our services with all that can be done to it. */
export type Victim = {
  url: string
  /** Its data folder. */
  disk: string
  clock: Clock
  /** Its way to Kafka. */
  proxy: TcpProxy
  process: Supervised
}

export type World = { kafka: RunningKafka } & Record<ServiceName, Victim> & AsyncDisposable

/** Starts Kafka, the shop and the bridge below `folder`; resolves when shop and bridge answer. */
export async function startWorld(folder: string, canMount: boolean): Promise<World> {
  await using started = new AsyncDisposableStack()
  const ports = { plain: await freePort(), secure: await freePort(), controller: await freePort() }
  const ways = {
    shop: { port: await freePort(), proxyPort: await freePort() },
    bridge: { port: await freePort(), proxyPort: await freePort() },
  }
  const properties = listeners(ports, ways)
  const kafka = started.use(await startKafka({ folder: join(folder, 'kafka'), ports, properties }))
  await createTopics(kafka.brokers, PARTITIONS)

  const start = async (name: ServiceName): Promise<Victim> => {
    const { port, proxyPort } = ways[name]
    const proxy = started.use(await startProxy(proxyPort, port))
    const disk = join(folder, name)
    mkdirSync(disk)
    if (canMount) mountDisk(disk)
    const clock = createClock(join(folder, `${name}.clock`))
    const address = `127.0.0.1:${await freePort()}`
    const process = new Supervised(name, join(folder, `${name}.log`), () =>
      startService(`services/${name}/main.ts`, {
        ...clock.environment,
        KAFKA_BROKERS: `127.0.0.1:${proxyPort}`,
        METERBRIDGE_DATA_DIR: disk,
        [name === 'shop' ? 'METERBRIDGE_SHOP_LISTEN' : 'METERBRIDGE_LISTEN']: address,
      }),
    )
    started.defer(() => void process.stop('SIGKILL'))
    const url = `http://${address}`
    await untilOk(process.service, `${url}/${name === 'shop' ? 'healthz' : 'readyz'}`, 60_000)
    return { url, disk, clock, proxy, process }
  }
  const [shop, bridge] = [await start('shop'), await start('bridge')]
  const all = started.move()
  return { kafka, shop, bridge, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

/** A listener for each service, advertised as its proxy: Kafka's clients go where Kafka tells them. */
function listeners(
  ports: { plain: number; secure: number; controller: number },
  ways: Record<ServiceName, { port: number; proxyPort: number }>,
): Record<string, string> {
  const own = `PLAINTEXT://127.0.0.1:${ports.plain},SASL_SSL://127.0.0.1:${ports.secure}`
  const at = (port: 'port' | 'proxyPort') =>
    SERVICES.map((name) => `${name.toUpperCase()}://127.0.0.1:${ways[name][port]}`).join(',')
  return {
    listeners: `${own},CONTROLLER://127.0.0.1:${ports.controller},${at('port')}`,
    'advertised.listeners': `${own},${at('proxyPort')}`,
    'listener.security.protocol.map':
      'PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT,SHOP:PLAINTEXT,BRIDGE:PLAINTEXT',
  }
}
