import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { temporaryFolder } from '../test/harness/folder.ts'
import { freePort } from '../test/harness/ports.ts'
import { type Service, startService } from '../test/harness/service.ts'

export type BenchBridge = { service: Service; url: string; dataDir: string } & AsyncDisposable

/**
 * A bridge in a process of its own, as `npm run bridge` starts it.
 *
 * @param kept a data folder to use; without it, a new one that goes with the bridge.
 */
export async function startBridge(brokers: string, kept?: string): Promise<BenchBridge> {
  const folder = kept === undefined ? temporaryFolder() : undefined
  const dataDir = kept ?? folder?.path ?? ''
  const address = `127.0.0.1:${await freePort()}`
  const service = startService('services/bridge/main.ts', {
    KAFKA_BROKERS: brokers,
    METERBRIDGE_DATA_DIR: dataDir,
    METERBRIDGE_LISTEN: address,
    METERBRIDGE_LOG_LEVEL: 'warn',
  })
  return {
    service,
    url: `http://${address}`,
    dataDir,
    [Symbol.asyncDispose]: async () => {
      await service.end()
      folder?.[Symbol.dispose]()
    },
  }
}

/** @throws Error with what it printed, when it is no longer there. */
export function assertRuns({ service }: BenchBridge) {
  if (service.process.exitCode !== null || service.process.signalCode !== null) {
    throw new Error(`the bridge ended:\n${service.output()}`)
  }
}

/**
 * How many records of all partitions are durably counted, read from the store's file beside the bridge: asking
 * its pages would cost it time that is to be measured.
 */
export async function openPositions(bridge: BenchBridge) {
  const file = join(bridge.dataDir, 'bridge', 'bridge.db')
  while (!existsSync(file)) {
    assertRuns(bridge)
    await delay(10)
  }
  const database = new Database(file, { readonly: true })
  const sum = () => {
    const row = database.prepare('SELECT total(position) AS counted FROM partitions').get()
    return (row as { counted: number }).counted
  }
  const counted = () => {
    try {
      return sum()
    } catch {
      return 0 // the tables are not there yet
    }
  }
  return { counted, [Symbol.dispose]: () => database.close() }
}
