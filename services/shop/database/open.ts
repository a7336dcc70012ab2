import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type BetterSQLite3Database, drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import { StartError } from '../../runtime/start-error.ts'

export type ShopDatabase = BetterSQLite3Database & { $client: Database.Database }

/**
 * Opens `<folder>/shop.db`, made or migrated to the current schema.
 *
 * @throws StartError when the file is no database or cannot be written.
 */
export function openDatabase(folder: string): ShopDatabase {
  const file = join(folder, 'shop.db')
  try {
    const client = new Database(file)
    client.pragma('journal_mode = WAL')
    client.pragma('foreign_keys = ON')
    const database = drizzle({ client })
    migrate(database, { migrationsFolder: join(import.meta.dirname, 'migrations') })
    return database
  } catch (error) {
    const { message } = error as Error
    throw new StartError(
      `cannot open the shop's database ${file} (${message}); put back a good copy, or set METERBRIDGE_DATA_DIR to another folder`,
    )
  }
}
