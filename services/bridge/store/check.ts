import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { StartError } from '../../runtime/start-error.ts'

export const MIGRATIONS = join(import.meta.dirname, 'migrations')

/**
 * A store up to this size is checked at each start, which takes about 4 s per GB. A larger one would hold up
 * counting: its pages are checked in each day's checkpoint.
 */
const CHECKED_BYTES = 512 * 1_048_576
const DAMAGED = ['SQLITE_CORRUPT', 'SQLITE_NOTADB']

/** @throws StartError when pages, rows or constraints of a store that is not too large are not sound. */
export function refuseDamaged(client: Database.Database, file: string) {
  const pages = client.pragma('page_count', { simple: true }) as number
  const pageBytes = client.pragma('page_size', { simple: true }) as number
  if (pages * pageBytes > CHECKED_BYTES) return
  const finding = damageOf(client)
  if (finding) throw damaged(file, finding)
}

/** What is wrong with a database's pages, rows or constraints; undefined: nothing. */
export function damageOf(client: Database.Database): string | undefined {
  const finding = String(client.pragma('quick_check(1)', { simple: true }))
  return finding === 'ok' ? undefined : finding.replaceAll('\n', '; ')
}

/** @throws StartError when migrations were applied that this version does not have. */
export function refuseNewer(client: Database.Database, file: string) {
  if (schemaOf(client) <= 0) return
  throw new StartError(
    `the store ${file} was written by a newer version of meterbridge; start that version, or set METERBRIDGE_DATA_DIR to another folder`,
  )
}

/** @throws StartError when migrations of this version are still to be applied, which only a bridge does. */
export function refuseOlder(client: Database.Database, file: string) {
  if (schemaOf(client) >= 0) return
  throw new StartError(
    `the store ${file} was written by an older version of meterbridge; start this one's bridge once, which brings it up to date`,
  )
}

/** Below 0: older than this version's, above: newer. Drizzle notes each migration by the time at which it was made. */
function schemaOf(client: Database.Database): number {
  const tables = "select name from sqlite_master where name = '__drizzle_migrations'"
  if (!client.prepare(tables).get()) return -1
  const applied = client.prepare('select max(created_at) from __drizzle_migrations').pluck().get()
  const journal = readFileSync(join(MIGRATIONS, 'meta', '_journal.json'), 'utf8')
  const { entries } = JSON.parse(journal) as { entries: { when: number }[] }
  return Number(applied) - Math.max(...entries.map(({ when }) => when))
}

/** Why the database cannot be opened, as a sentence with the mend. */
export function refusal(error: Error & { code?: string }, file: string): Error {
  if (error instanceof StartError) return error
  if (DAMAGED.some((code) => error.code?.startsWith(code))) return damaged(file, error.message)
  return new StartError(
    `cannot open the store ${file} (${error.message}); see that this user may write there and that the disk has room, or set METERBRIDGE_DATA_DIR to another folder`,
  )
}

/** The sentence for a store whose pages, rows or constraints are not sound. */
export function damaged(file: string, finding: string): StartError {
  return new StartError(
    `the store ${file} is damaged (${finding}); count it anew with \`npm run meterbridge -- rebuild --swap\`, or put back a good copy with the bridge stopped`,
  )
}
