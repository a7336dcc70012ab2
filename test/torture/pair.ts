import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { freePort } from '../harness/ports.ts'
import { startService, untilOk } from '../harness/service.ts'
import { Supervised } from './supervised.ts'

export const NAMES = ['shop', 'bridge'] as const
export type Name = (typeof NAMES)[number]

const READY_DEADLINE_MS = 60_000

/** One of the two services under a supervisor, with a data folder of its own. */
export type Supervisee = { url: string; dataDir: string; process: Supervised }

/** Starts a service below `folder`, where its log is kept too; resolves when it answers. */
export async function startSupervised(
  name: Name,
  folder: string,
  environment: Record<string, string>,
): Promise<Supervisee & AsyncDisposable> {
  const dataDir = join(folder, name)
  mkdirSync(dataDir, { recursive: true })
  const address = `127.0.0.1:${await freePort()}`
  const process = new Supervised(name, join(folder, `${name}.log`), () =>
    startService(`services/${name}/main.ts`, {
      ...environment,
      METERBRIDGE_DATA_DIR: dataDir,
      [name === 'shop' ? 'METERBRIDGE_SHOP_LISTEN' : 'METERBRIDGE_LISTEN']: address,
    }),
  )
  const end = async () => void (await process.stop('SIGKILL'))
  const url = `http://${address}`
  const answering = `${url}/${name === 'shop' ? 'healthz' : 'readyz'}`
  try {
    await untilOk(process.service, answering, READY_DEADLINE_MS)
  } catch (error) {
    await end()
    throw error
  }
  return { url, dataDir, process, [Symbol.asyncDispose]: end }
}
