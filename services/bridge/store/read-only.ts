import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { StartError } from '../../runtime/start-error.ts'
import { damaged, damageOf, refusal, refuseNewer, refuseOlder } from './check.ts'

/** Another process's store, or a copy of one. Integers come as bigints. */
export type ReadOnlyStore = Database.Database

/** How long a query waits for another process's lock, as when the bridge starts or ends. */
const LOCKED_TIMEOUT_MS = 10_000

/**
 * Opens a database of the bridge's to read, also while the bridge writes to it, and reads through it once for damage.
 *
 * @param file such as `<data>/bridge/bridge.db`.
 * @throws StartError when there is none, it is damaged, or its schema is another program's.
 */
export function openReadOnly(file: string): ReadOnlyStore {
  if (!existsSync(file)) {
    if (existsSync(join(dirname(file), 'checkpoints'))) {
      throw new StartError(
        `the store ${file} is gone; count it anew with \`npm run meterbridge -- rebuild --swap\`, or put back a good copy`,
      )
    }
    throw new StartError(
      `there is no store ${file}; start the bridge once, or set METERBRIDGE_DATA_DIR to its data folder`,
    )
  }
  let client: Database.Database | undefined
  try {
    client = new Database(file, { readonly: true, timeout: LOCKED_TIMEOUT_MS })
    client.defaultSafeIntegers(true)
    refuseNewer(client, file)
    const finding = damageOf(client)
    if (finding) throw damaged(file, finding)
    refuseOlder(client, file)
    return client
  } catch (error) {
    client?.close()
    throw refusal(error as Error, file)
  }
}
