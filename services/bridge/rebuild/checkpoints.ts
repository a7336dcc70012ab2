import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Logger } from '../../runtime/logger.ts'
import { dateOf, syncFolder } from '../rollup/index.ts'
import type { Snapshot, Store } from '../store/index.ts'
import { appendCheckpoint, type Checkpoint, readChain } from './chain.ts'

/** Files kept; of older checkpoints their lines remain. */
const KEPT = 8
/** After a failure the next attempt waits this long: it may be a large copy that found no room. */
const RETRY_MS = 300_000
const TEMPORARY = '.tmp'

export type Checkpoints = {
  /**
   * Makes a checkpoint where one is due: the first look of a day (UTC), and when a partition, or an incarnation of
   * one, has begun that the newest does not know. What fails is told and tried again later.
   */
  look(nowMs: number): Promise<void>
}

/** @param folder of the store; checkpoints go to `<folder>/checkpoints`. `signal` ends a copy under way. */
export function createCheckpoints(
  store: Store,
  folder: string,
  logger: Logger,
  onError: () => void,
  signal: AbortSignal,
): Checkpoints {
  const place = join(folder, 'checkpoints')
  let notBeforeMs = 0
  /** The chain grows for years: it is read at the first look and where a checkpoint is made. */
  let newest: Checkpoint | undefined
  let isRead = false

  async function make(day: string) {
    await mkdir(place, { recursive: true })
    for (const file of await readdir(place))
      if (file.endsWith(TEMPORARY)) await rm(join(place, file))
    await requireRoom(place, (await store.snapshot()).bytes)
    const temporary = join(place, `${day}${TEMPORARY}`)
    const copied = await store.copy(temporary, signal)
    const file = freeName(place, day)
    await rename(temporary, join(place, file))
    await syncFolder(place)
    await appendCheckpoint(place, day, file, copied)
    await dropOld(place)
    logger.info({ file, bytes: copied.bytes }, 'checkpoint made')
  }

  return {
    look: async (nowMs) => {
      if (nowMs < notBeforeMs) return
      try {
        const day = dateOf(nowMs)
        if (!isRead) newest = readChain(place).checkpoints.at(-1)
        isRead = true
        if (!isDue(newest, day, await store.snapshot())) return
        isRead = false
        await make(day)
      } catch (error) {
        if (signal.aborted) return
        notBeforeMs = nowMs + RETRY_MS
        onError()
        logger.error({ err: error }, 'cannot make a checkpoint; trying again in 5 minutes')
      }
    },
  }
}

function isDue(newest: Checkpoint | undefined, day: string, { partitions }: Snapshot): boolean {
  if (partitions.length === 0) return false
  if (!newest || newest.day < day) return true
  return partitions.some(({ topic, partition, incarnation }) =>
    newest.partitions.every(
      (known) =>
        known.topic !== topic || known.partition !== partition || known.incarnation !== incarnation,
    ),
  )
}

/** A copy takes at most half of what is free, so that it never is what fills the disk. */
async function requireRoom(place: string, bytes: number) {
  const { bavail, bsize } = await statfs(place)
  const free = bavail * bsize
  if (free >= 2 * bytes) return
  throw new Error(`a checkpoint takes ${bytes} bytes, and only ${free} are free`)
}

/** `2026-05-01.db`; further ones of a day are `2026-05-01-2.db` and so on. */
function freeName(place: string, day: string): string {
  const names = function* () {
    yield `${day}.db`
    for (let i = 2; ; i++) yield `${day}-${i}.db`
  }
  return names().find((name) => !existsSync(join(place, name)))!
}

/** Also of what a crash left without its line. */
async function dropOld(place: string) {
  const kept = readChain(place)
    .checkpoints.slice(-KEPT)
    .map(({ file }) => file)
  for (const file of await readdir(place))
    if (file.endsWith('.db') && !kept.includes(file)) await rm(join(place, file))
}
