import { randomUUID } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { count, eq, type SQL } from 'drizzle-orm'
import { type BetterSQLite3Database, drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'
import { MIGRATIONS, refusal, refuseDamaged, refuseNewer } from './check.ts'
import { meta } from './schema.ts'
import { STORE_ID } from './summary.ts'

export type BridgeDatabase = BetterSQLite3Database & { $client: Database.Database }

export type OpenDatabase = { database: BridgeDatabase; storeId: string }

export const STORE_FILE = 'bridge.db'

/**
 * Opens `<folder>/<name>`, made or migrated to the current schema. WAL with synchronous=FULL: a commit is
 * on disk before it is answered.
 *
 * @throws StartError when it is no database, is damaged, was written by a newer version, or cannot be written.
 */
export function openDatabase(folder: string, name = STORE_FILE): OpenDatabase {
  const file = join(folder, name)
  let client: Database.Database | undefined
  try {
    mkdirSync(folder, { recursive: true })
    client = new Database(file)
    refuseNewer(client, file)
    refuseDamaged(client, file)
    client.pragma('journal_mode = WAL')
    client.pragma('synchronous = FULL')
    const database = drizzle({ client })
    migrate(database, { migrationsFolder: MIGRATIONS })
    // Sums go up to 2^63: every integer comes as a bigint, and columns.ts turns those that are small back.
    client.defaultSafeIntegers(true)
    return { database, storeId: readStoreId(database) }
  } catch (error) {
    client?.close()
    throw refusal(error as Error, file)
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
