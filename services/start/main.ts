import { join } from 'node:path'
import { checkReachable } from '../kafka/client.ts'
import { checkFree } from '../runtime/check-free.ts'
import { lockFolder } from '../runtime/lock.ts'
import { createLogger } from '../runtime/logger.ts'
import { type Context, type Running, run } from '../runtime/run.ts'
import { StartError } from '../runtime/start-error.ts'
import type { Settings } from '../settings/settings.ts'
import { greeting } from './greeting.ts'
import { keepRunning } from './keep-running.ts'
import { holdOutput } from './output.ts'
import { untilPredecessorsEnded } from './predecessors.ts'
import { portProblem, reachedAt, untilReady, urlProblem } from './ready.ts'
import { type Service, type ServiceName, startService } from './service.ts'

/** `npm start`: the shop, the bridge and, where no cluster is named, the development broker. */
await run('start', start)

async function start({ settings, fail }: Context): Promise<Running> {
  const broker = settings.kafka.brokers.length === 0 ? reachedAt(settings.brokerListen) : undefined
  // Two at once would share the services between them, and end each other.
  const lock = lockFolder(join(settings.dataDir, 'start'), '`npm start`')
  const say = (line: string) => void process.stderr.write(`${line}\n`)
  const names: ServiceName[] = broker ? ['broker', 'shop', 'bridge'] : ['shop', 'bridge']
  await untilPredecessorsEnded(settings.dataDir, names, say)
  await checkBefore(settings, broker !== undefined)
  if (!broker) {
    // Silent: what kafkajs tells of each try, the one sentence tells too.
    await checkReachable(settings.kafka, 'meterbridge-start', createLogger('start', 'silent'))
  }

  const output = holdOutput((text) => process.stderr.write(text))
  const environment = environmentFor(broker)
  const services = new Map<ServiceName, Service>()
  const stopping = new AbortController()
  const launch = (name: ServiceName) => {
    const service = startService(name, environment, output.line)
    services.set(name, service)
    service.ended.then(({ told }) => {
      if (!told && !stopping.signal.aborted) output.release() // what it printed is all there is to tell why
    })
    return service
  }
  const stop = async () => {
    stopping.abort()
    await Promise.all([
      services.get('shop')?.end('SIGTERM'),
      services.get('bridge')?.end('SIGTERM'),
    ])
    await services.get('broker')?.end('SIGTERM')
    lock.release()
  }
  // A second Ctrl-C, or one before all are ready, ends this process at once, and then nothing may be left.
  process.on('exit', () => {
    for (const service of services.values()) void service.end('SIGKILL')
  })

  try {
    if (broker) await untilReady(launch('broker'), () => portProblem(settings.brokerListen))
    await Promise.all([
      untilReady(launch('shop'), () => urlProblem(urlOf(settings, 'shop'))),
      untilReady(launch('bridge'), () => urlProblem(urlOf(settings, 'bridge'))),
    ])
  } catch (error) {
    if (!(error instanceof StartError)) output.release()
    await stop()
    throw error
  }
  process.stdout.write(greeting(settings, broker))
  output.release()
  for (const [name, service] of [...services]) {
    keepRunning(service, () => launch(name), say, stopping.signal).then(({ why }) => {
      if (!stopping.signal.aborted) fail(new StartError(`${name}: ${why}; the others are stopped`))
    })
  }
  return { stop }
}

function urlOf(settings: Settings, name: 'shop' | 'bridge'): string {
  return name === 'shop'
    ? `http://${reachedAt(settings.shopListen)}/healthz`
    : `http://${reachedAt(settings.listen)}/readyz`
}

/** What can be known before any process is started. @throws StartError */
async function checkBefore(settings: Settings, development: boolean) {
  if (development && (settings.kafka.tls || settings.kafka.sasl)) {
    throw new StartError(
      'KAFKA_TLS or KAFKA_SASL_… is set but KAFKA_BROKERS is not; name the cluster, or unset them: the development broker has neither',
    )
  }
  if (reachedAt(settings.shopListen) === reachedAt(settings.listen)) {
    throw new StartError(
      `METERBRIDGE_LISTEN and METERBRIDGE_SHOP_LISTEN are both ${reachedAt(settings.listen)}; give each an address of its own`,
    )
  }
  await checkFree(settings.shopListen, 'METERBRIDGE_SHOP_LISTEN')
  await checkFree(settings.listen, 'METERBRIDGE_LISTEN')
  if (development) await checkFree(settings.brokerListen, 'METERBRIDGE_BROKER_LISTEN')
}

/** The services' variables: ours, and what only `npm start` may choose for a person. */
function environmentFor(broker: string | undefined): NodeJS.ProcessEnv {
  return {
    ...process.env,
    METERBRIDGE_CREATE_TOPICS: process.env.METERBRIDGE_CREATE_TOPICS?.trim() || 'true',
    ...(broker && { KAFKA_BROKERS: broker }),
  }
}
