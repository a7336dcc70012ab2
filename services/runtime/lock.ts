import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import Database from 'better-sqlite3'
import { StartError } from './start-error.ts'

/**
 * Takes `folder` for this process alone until it ends, however it ends. The lock is the operating
 * system's lock on an SQLite file: the kernel drops it with the process, so a kill -9 leaves nothing stale.
 *
 * @throws StartError when another process holds it, or the folder cannot be written.
 */
export function lockFolder(folder: string, owner: string): { release(): void } {
  const file = join(folder, 'lock')
  try {
    makeFolder(folder)
    const database = hold(file)
    return { release: () => database.close() }
  } catch (error) {
    if (isBusy(error)) {
      throw new StartError(
        `another ${owner} is using ${folder}; stop it, or set METERBRIDGE_DATA_DIR to another folder`,
      )
    }
    throw new StartError(
      `cannot write to ${folder} (${(error as Error).message}); give this user the folder, or set METERBRIDGE_DATA_DIR to another one`,
    )
  }
}

/** Whether another process holds `folder` now. */
export function isLocked(folder: string): boolean {
  const file = join(folder, 'lock')
  if (!existsSync(file)) return false
  try {
    hold(file).close()
    return false
  } catch (error) {
    return isBusy(error)
  }
}

/** Not by `recursive`: below /proc, where nothing can be made, Node would try for ever. */
function makeFolder(folder: string) {
  if (existsSync(folder)) return
  makeFolder(dirname(folder))
  try {
    mkdirSync(folder)
  } catch (error) {
    // The other services make the data folder at the same time.
    if ((error as { code?: string }).code !== 'EEXIST') throw error
  }
}

function hold(file: string): Database.Database {
  const database = new Database(file, { timeout: 0 })
  try {
    // Not WAL: only a rollback-journal database can be locked whole.
    database.pragma('journal_mode = DELETE')
    database.exec('BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function isBusy(error: unknown): boolean {
  return (error as { code?: string }).code === 'SQLITE_BUSY'
}
