import { mkdir, open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * Puts `content` at `path`, whole or not at all: written beside it under a name that engines pass over, synced,
 * renamed over it, and the folder synced, so that it is still there after a power cut.
 */
export async function writeWhole(path: string, content: string) {
  const folder = dirname(path)
  const made = await mkdir(folder, { recursive: true })
  const temporary = join(folder, `.${path.slice(folder.length + 1)}.tmp`)
  const file = await open(temporary, 'w')
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await syncFolder(folder)
  // New folders are only there for good once the folders above them are synced.
  for (let up = folder; made && up.length >= made.length; up = dirname(up)) {
    await syncFolder(dirname(up))
  }
}

/** Makes renames in a folder durable. */
export async function syncFolder(folder: string) {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
