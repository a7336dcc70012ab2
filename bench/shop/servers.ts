import { temporaryFolder } from '../../test/harness/folder.ts'
import { freePort } from '../../test/harness/ports.ts'
import { startService, untilOk } from '../../test/harness/service.ts'

export type Server = { url: string } & AsyncDisposable

/** The shop as `npm run shop` starts it. */
export async function startShop(brokers: string): Promise<Server> {
  const folder = temporaryFolder()
  const address = `127.0.0.1:${await freePort()}`
  const service = startService('services/shop/main.ts', {
    KAFKA_BROKERS: brokers,
    METERBRIDGE_DATA_DIR: folder.path,
    METERBRIDGE_SHOP_LISTEN: address,
    METERBRIDGE_CREATE_TOPICS: 'true',
    METERBRIDGE_LOG_LEVEL: 'error',
  })
  const url = `http://${address}`
  await untilOk(service, `${url}/healthz`)
  return { url, [Symbol.asyncDispose]: () => end(service, folder) }
}

export async function startBare(): Promise<Server> {
  const folder = temporaryFolder()
  const port = String(await freePort())
  const service = startService('bench/shop/bare.ts', {}, [folder.path, port])
  const url = `http://127.0.0.1:${port}`
  await untilOk(service, url)
  return { url, [Symbol.asyncDispose]: () => end(service, folder) }
}

async function end(service: ReturnType<typeof startService>, folder: Disposable) {
  await service.end()
  folder[Symbol.dispose]()
}
