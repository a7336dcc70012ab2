import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'

const SIZE = '96m'
const FILL_BYTES = [1_048_576, 4_096, 1]

/** A small file system in memory, mounted at `path`. Its mount goes with the namespace (namespace.ts). */
export function mountDisk(path: string) {
  mkdirSync(path, { recursive: true })
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'torture', path])
}

export function unmountDisk(path: string) {
  execFileSync('umount', ['--lazy', path])
}

/**
 * Fills the disk at `path` to its last byte.
 *
 * @param database on that disk: its write-ahead log is emptied before, or there were room in it for long.
 */
export function fillDisk(path: string, database: string) {
  const connection = new Database(join(path, database))
  connection.pragma('wal_checkpoint(TRUNCATE)')
  connection.close()
  const file = openSync(join(path, 'filler'), 'w')
  for (const bytes of FILL_BYTES) {
    const zeros = Buffer.alloc(bytes)
    try {
      for (;;) writeSync(file, zeros)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    }
  }
  closeSync(file)
}

export function freeDisk(path: string) {
  rmSync(join(path, 'filler'), { force: true })
}
