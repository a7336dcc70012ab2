import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  copyDatabase,
  openSqliteStore,
  STORE_FILE,
  type Store,
  type Summary,
} from '../store/index.ts'

/** The store that is in place, as a copy of one moment: it may be in use, and of an earlier schema. */
export type Old = { store?: Store; summary?: Summary; illegible?: string }

export const OLD = 'old.tmp.db'

export async function openOld(folder: string): Promise<Old> {
  const file = join(folder, STORE_FILE)
  await remove(folder)
  if (!existsSync(file)) return { illegible: `${file} does not exist` }
  try {
    const { summary } = await copyDatabase(file, join(folder, OLD))
    return { summary, store: openSqliteStore(folder, OLD) }
  } catch (error) {
    await remove(folder)
    return { illegible: (error as Error).message }
  }
}

export async function closeOld(folder: string, { store }: Old) {
  await store?.end()
  await remove(folder)
}

async function remove(folder: string) {
  for (const end of ['', '-journal', '-wal', '-shm']) {
    await rm(join(folder, `${OLD}${end}`), { force: true })
  }
}
