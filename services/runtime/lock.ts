import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
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
    mkdirSync(folder, { recursive: true })
    const database = new Database(file, { timeout: 0 })
    // Not WAL: only a rollback-journal database can be locked whole.
    database.pragma('journal_mode = DELETE')
    database.exec('BEGIN EXCLUSIVE')
    return { release: () => database.close() }
  } catch (error) {
    if ((error as { code?: string }).code === 'SQLITE_BUSY') {
      throw new StartError(
        `another ${owner} is using ${folder}; stop it, or set METERBRIDGE_DATA_DIR to another folder`,
      )
    }
    throw new StartError(
      `cannot write to ${folder} (${(error as Error).message}); give this user the folder, or set METERBRIDGE_DATA_DIR to another one`,
    )
  }
}
