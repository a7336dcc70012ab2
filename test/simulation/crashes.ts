import fs, { type FileHandle, open } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import type { Store } from '../../services/bridge/store/index.ts'

const CALLS = ['begin', 'commit', 'close', 'pendingDays', 'day', 'written', 'seal'] as const

/** Everywhere a process can end between two durable changes. */
export const CRASH_POINTS = [
  ...CALLS.flatMap((call) => [`before ${call}`, `after ${call}`]),
  'amid a temporary file',
  ...['rows', 'manifest'].flatMap((file) => [`${file} not yet renamed`, `${file} renamed`]),
]

/** Of one simulated process: where it shall end, and whether it has. */
export class Crashes {
  /** It ends at this point, once that was passed so many times. */
  armed: { point: string; passes: number } | undefined
  crashed = false
  /** What else happens once a file is in place and its day not yet marked as written. */
  meanwhile: (() => Promise<void>) | undefined

  /** @throws Error where the process ends, and at every point that it would come to afterwards. */
  reach(point: string) {
    if (this.armed?.point === point && this.armed.passes-- === 0) this.crashed = true
    if (this.crashed) throw new Error(`crashed ${point}`)
  }
}

/** The store as a process sees it that may crash before and after each call. */
export function crashingStore(store: Store, crashes: Crashes): Store {
  const calls = CALLS.map((name) => {
    const call = store[name] as (...args: unknown[]) => Promise<unknown>
    const crashing = async (...args: unknown[]) => {
      crashes.reach(`before ${name}`)
      const result = await call(...args)
      crashes.reach(`after ${name}`)
      return result
    }
    return [name, crashing]
  })
  return { ...store, ...Object.fromEntries(calls) }
}

/** Of the process that writes files now. */
let writing = new Crashes()

/** Does `work`, whose writing of files may crash. */
export async function withFiles<T>(crashes: Crashes, work: () => Promise<T>): Promise<T> {
  writing = crashes
  try {
    return await work()
  } finally {
    writing = new Crashes()
  }
}

// The real calls, each with a place to crash before and after it, in whatever room they are made.
const { rename } = fs
fs.rename = async (from, to) => {
  const file = String(to).endsWith('.json') ? 'manifest' : 'rows'
  writing.reach(`${file} not yet renamed`)
  await rename(from, to)
  writing.reach(`${file} renamed`)
  const { meanwhile } = writing
  writing.meanwhile = undefined
  await meanwhile?.()
}
syncBuiltinESMExports()

const handle = await open(import.meta.filename)
const prototype = Object.getPrototypeOf(handle) as Pick<FileHandle, 'writeFile'>
await handle.close()
const { writeFile } = prototype
prototype.writeFile = async function (this: FileHandle, content, options) {
  try {
    writing.reach('amid a temporary file')
  } catch (crash) {
    await writeFile.call(this, String(content).slice(0, String(content).length / 2))
    throw crash
  }
  await writeFile.call(this, content, options)
}
