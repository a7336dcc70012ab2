import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { count, eq, type SQL } from 'drizzle-orm'
import { type BetterSQLite3Database, drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { StartError } from '../../runtime/start-error.ts'
import { meta } from './schema.ts'

export type BridgeDatabase = BetterSQLite3Database & { $client: Database.Database }

const STORE_ID = 'store_id'

/**
 * Opens `<folder>/bridge.db`, made or migrated to the current schema. WAL with synchronous=FULL: a commit is
 * on disk before it is answered.
 *
 * @throws StartError when it is no database, or cannot be written.
 */
export function openDatabase(folder: string): { database: BridgeDatabase; storeId: string } {
  const file = join(folder, 'bridge.db')
  try {
    mkdirSync(folder, { recursive: true })
    const client = new Database(file)
    client.pragma('journal_mode = WAL')
    client.pragma('synchronous = FULL')
    const database = drizzle({ client })
    migrate(database, { migrationsFolder: join(import.meta.dirname, 'migrations') })
    // Sums go up to 2^63: every integer comes as a bigint, and columns.ts turns those that are small back.
    client.defaultSafeIntegers(true)
    return { database, storeId: readStoreId(database) }
  } catch (error) {
    throw new StartError(
      `cannot open the store ${file} (${(error as Error).message}); put back a good copy, or set METERBRIDGE_DATA_DIR to another folder`,
    )
  }
}

function readStoreId(database: BridgeDatabase): string {
  const made = randomUUID().slice(0, 8)
  database.insert(meta).values({ name: STORE_ID, value: made }).onConflictDoNothing().run()
  return database.select().from(meta).where(eq(meta.name, STORE_ID)).get()!.value
}

/** How many rows of `table` fit `where`. */
export function countRows(database: BridgeDatabase, table: SQLiteTable, where: SQL | undefined) {
  const row = database.select({ rows: count() }).from(table).where(where).get()
  return Number(row?.rows ?? 0)
}
