import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { StartError } from '../../runtime/start-error.ts'

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
    throw new StartError(
      `there is no store ${file}; start the bridge once, or set METERBRIDGE_DATA_DIR to its data folder`,
    )
  }
  const damaged = (found: unknown) =>
    new StartError(
      `the store ${file} is damaged (${found}); put back a good copy, or count anew with \`npm run meterbridge -- rebuild\``,
    )
  let client: Database.Database | undefined
  try {
    client = new Database(file, { readonly: true, timeout: LOCKED_TIMEOUT_MS })
    client.defaultSafeIntegers(true)
    const found = client.pragma('quick_check(1)', { simple: true })
    if (found !== 'ok') throw damaged(found)
    checkSchema(client, file)
    return client
  } catch (error) {
    client?.close()
    throw error instanceof StartError ? error : damaged((error as Error).message)
  }
}

/** Drizzle remembers each migration that it ran by the time at which it was made. */
function checkSchema(client: Database.Database, file: string) {
  const journal = join(import.meta.dirname, 'migrations/meta/_journal.json')
  const { entries } = JSON.parse(readFileSync(journal, 'utf8')) as { entries: { when: number }[] }
  const known = Math.max(...entries.map(({ when }) => when))
  const newest = client.prepare('select max(created_at) from __drizzle_migrations').pluck().get()
  if (Number(newest) > known) {
    throw new StartError(`the store ${file} was written by a newer meterbridge; run that version`)
  }
  if (Number(newest) < known) {
    throw new StartError(
      `the store ${file} is of an older meterbridge; start this one's bridge once, which brings it up to date`,
    )
  }
}
