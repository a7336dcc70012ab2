import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Logger } from '../../runtime/logger.ts'
import { MINUTE_MS } from '../fold/index.ts'
import { DAY_MS, type DayRows, dayOf, type Store } from '../store/index.ts'
import type { StreamDefinition } from '../streams/index.ts'
import { dateOf, rowsOf, toCsv } from './csv.ts'
import { writeWhole } from './file.ts'

/** Days of minutes kept in the store; older ones are sealed. */
export const RETENTION_DAYS = 400
export const TARGETS = ['csv']

/** The first day (ms) that is not sealed at `nowMs`. */
export function retainedFromMs(nowMs: number): number {
  return dayOf(nowMs) - RETENTION_DAYS * DAY_MS
}

export type Publisher = {
  /**
   * Closes what can be closed, and writes the files of all days that changed. `closableMs` -1: nothing new.
   * What fails is told, and done again at the next call.
   */
  publish(stream: StreamDefinition, closableMs: number, nowMs: number): Promise<void>
}

/** Writes minute rows as files under `folder`, each anew from the store. */
export function createPublisher(
  store: Store,
  folder: string,
  logger: Logger,
  onError: (target: string) => void,
): Publisher {
  async function write(stream: StreamDefinition, day: DayRows) {
    const columns = stream.columns.map(({ name }) => name)
    const rows = rowsOf(day, columns)
    const csv = toCsv(rows, columns)
    const date = `dt=${dateOf(day.dayMs)}`
    const file = join('csv', stream.name, date, `${stream.name}.csv`)
    await writeWhole(join(folder, file), csv)
    const manifest = {
      stream: stream.name,
      date: dateOf(day.dayMs),
      rows: rows.length,
      revision: day.revision,
      files: [{ path: file, sha256: createHash('sha256').update(csv).digest('hex') }],
      /** Everything below these offsets is included. */
      positions: day.positions,
    }
    const path = join(folder, 'manifests', stream.name, date, 'manifest.json')
    await writeWhole(path, `${JSON.stringify(manifest, null, 2)}\n`)
  }

  async function publish(stream: StreamDefinition, closableMs: number, nowMs: number) {
    // Minutes that by the clock are not over are kept, and not yet published.
    const overMs = nowMs - (nowMs % MINUTE_MS) - MINUTE_MS
    if (closableMs >= 0) await store.close(stream.name, Math.min(closableMs, overMs))
    for (const dayMs of await store.pendingDays(stream.name)) {
      const day = await store.day(stream.name, dayMs)
      await write(stream, day)
      await store.written(day)
    }
    await store.seal(stream.name, retainedFromMs(nowMs))
  }

  /** Streams whose files cannot be written: it is said once, however often it is tried. */
  const failing = new Set<string>()
  return {
    publish: async (stream, closableMs, nowMs) => {
      try {
        await publish(stream, closableMs, nowMs)
        if (failing.delete(stream.name))
          logger.warn(`the files of ${stream.name} are written again`)
      } catch (error) {
        onError('csv')
        if (failing.has(stream.name)) return
        failing.add(stream.name)
        logger.error({ err: error }, `cannot write the files of ${stream.name}; trying again`)
      }
    },
  }
}
