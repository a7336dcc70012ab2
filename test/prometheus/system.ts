import { temporaryFolder } from '../harness/folder.ts'
import { freePort } from '../harness/ports.ts'
import { type Service, startService, untilOk } from '../harness/service.ts'
import { until } from '../harness/until.ts'

/** Shop and bridge on a development broker, each its own process: `host:port` of each, and the bridge itself. */
export type System = { shop: string; bridge: string; bridgeService: Service } & AsyncDisposable

/** Starts them on an empty data folder and resolves when both answer. */
export async function startSystem(): Promise<System> {
  const stack = new AsyncDisposableStack()
  try {
    const folder = stack.use(temporaryFolder())
    const [broker, shop, bridge] = [await address(), await address(), await address()]
    const environment = {
      METERBRIDGE_DATA_DIR: folder.path,
      METERBRIDGE_BROKER_LISTEN: broker,
      METERBRIDGE_SHOP_LISTEN: shop,
      METERBRIDGE_LISTEN: bridge,
      METERBRIDGE_CREATE_TOPICS: 'true',
      KAFKA_BROKERS: broker,
    }
    const start = (script: string) => stack.use(startService(script, environment))
    const brokerService = start('services/broker/main.ts')
    await until('the broker listens', () => brokerService.output().includes('for development only'))
    const shopService = start('services/shop/main.ts')
    const bridgeService = start('services/bridge/main.ts')
    await Promise.all([
      untilOk(shopService, `http://${shop}/healthz`),
      untilOk(bridgeService, `http://${bridge}/readyz`),
    ])
    const owned = stack.move()
    return { shop, bridge, bridgeService, [Symbol.asyncDispose]: () => owned.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function address(): Promise<string> {
  return `127.0.0.1:${await freePort()}`
}
