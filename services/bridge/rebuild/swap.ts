import { existsSync } from 'node:fs'
import { link, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { syncFolder } from '../rollup/index.ts'
import { STORE_FILE, settleLog } from '../store/index.ts'

/**
 * Puts `<folder>/<rebuilt>`, finished, in the place of the store, whose files stay as `bridge.db.before-<time>`. At
 * every moment one of the two is in place, whole. The bridge must be stopped.
 *
 * @returns the name that the old one has now; undefined: there was none.
 */
export async function swap(
  folder: string,
  rebuilt: string,
  nowMs: number,
): Promise<string | undefined> {
  const file = join(folder, STORE_FILE)
  const time = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const kept = `${STORE_FILE}.before-${time}`
  const hadOne = existsSync(file)
  if (hadOne) {
    // A log that were left would be taken for the new store's: what is in it goes into the old one, where that is sound.
    settleLog(file)
    await rm(join(folder, kept), { force: true })
    await link(file, join(folder, kept))
  }
  if (existsSync(`${file}-wal`)) await rename(`${file}-wal`, `${join(folder, kept)}-wal`)
  await rm(`${file}-shm`, { force: true })
  await syncFolder(folder)
  await rename(join(folder, rebuilt), file)
  await syncFolder(folder)
  return hadOne ? kept : undefined
}
