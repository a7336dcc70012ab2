import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { type BetterSQLite3Database, drizzle } from 'drizzle-orm/better-sqlite3'
import { migrate } from 'drizzle-orm/better-sqlite3/migrator'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import { StartError } from '../../runtime/start-error.ts'

export type ShopDatabase = BetterSQLite3Database & { $client: Database.Database }

const MIGRATIONS = { migrationsFolder: join(import.meta.dirname, 'migrations') }

/**
 * Opens `<folder>/shop.db`, made or migrated to the current schema.
 *
 * @throws StartError when the file is no database, is damaged, is a newer program's, or cannot be written.
 */
export function openDatabase(folder: string): ShopDatabase {
  const file = join(folder, 'shop.db')
  return opened(file, () => {
    const client = new Database(file)
    client.pragma('journal_mode = WAL')
    client.pragma('foreign_keys = ON')
    checkWhole(client, file)
    const database = drizzle({ client })
    if (schemaOf(database) === 'newer') throw newerSchema(file)
    migrate(database, MIGRATIONS)
    return database
  })
}

/**
 * Opens the database that a shop has made, for a command beside it: whether the shop runs or not.
 *
 * @throws StartError when there is none, or its schema is another program's.
 */
export function openExisting(folder: string, { readonly }: { readonly: boolean }): ShopDatabase {
  const file = join(folder, 'shop.db')
  if (!existsSync(file)) {
    throw new StartError(
      `there is no shop's database ${file}; set METERBRIDGE_DATA_DIR to the shop's data folder`,
    )
  }
  return opened(file, () => {
    const client = new Database(file, { readonly })
    if (!readonly) client.pragma('synchronous = FULL')
    const database = drizzle({ client })
    const schema = schemaOf(database)
    if (schema === 'newer') throw newerSchema(file)
    if (schema === 'older') {
      throw new StartError(
        `the shop's database ${file} was made by an older meterbridge; start this one's shop once, which brings it up to date`,
      )
    }
    return database
  })
}

function opened(file: string, open: () => ShopDatabase): ShopDatabase {
  try {
    return open()
  } catch (error) {
    if (error instanceof StartError) throw error
    const { message } = error as Error
    throw new StartError(
      `cannot open the shop's database ${file} (${message}); put back a good copy, or set METERBRIDGE_DATA_DIR to another folder`,
    )
  }
}

function checkWhole(client: Database.Database, file: string) {
  const found = String(client.pragma('quick_check(1)', { simple: true }))
  if (found === 'ok') return
  throw new StartError(
    `the shop's database ${file} is damaged (${found.split('\n').at(-1)}); put back a good copy, or save what \`sqlite3 ${file} .recover\` still finds`,
  )
}

/** Drizzle remembers each migration that it ran by the time at which it was made. */
function schemaOf({ $client: client }: ShopDatabase): 'older' | 'current' | 'newer' {
  const known = Math.max(...readMigrationFiles(MIGRATIONS).map(({ folderMillis }) => folderMillis))
  const table = "select 1 from sqlite_schema where name = '__drizzle_migrations'"
  if (!client.prepare(table).get()) return 'older'
  const newest = client.prepare('select max(created_at) from __drizzle_migrations').pluck().get()
  if (Number(newest) === known) return 'current'
  return Number(newest) > known ? 'newer' : 'older'
}

function newerSchema(file: string): StartError {
  return new StartError(
    `the shop's database ${file} was written by a newer meterbridge; run that version again, or put back the copy made before the upgrade`,
  )
}
