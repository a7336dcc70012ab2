import { existsSync } from 'node:fs'
import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { lockFolder } from '../../runtime/lock.ts'
import { createFold, MINUTE_MS } from '../fold/index.ts'
import { retainedFromMs } from '../rollup/index.ts'
import type { LogReader, TopicBounds } from '../source/index.ts'
import {
  type Difference,
  differences,
  type MinuteDifference,
  minuteDifferences,
  openRebuiltStore,
  type RebuiltStore,
  type Summary,
} from '../store/index.ts'
import type { StreamDefinition } from '../streams/index.ts'
import { makeKnown } from '../streams-known.ts'
import { type Base, chooseBase, type From } from './base.ts'
import { countPart } from './count.ts'
import { closeOld, OLD, type Old, openOld } from './old.ts'
import type { Loss } from './plan.ts'
import { matchPublished } from './published.ts'
import { swap } from './swap.ts'

export type RebuildOptions = {
  /** Of the store; the lake beside it. */
  folder: string
  lake: string
  streams: readonly StreamDefinition[]
  /** Topics without an entry do not exist. */
  logs: ReadonlyMap<string, TopicBounds>
  reader: Pick<LogReader, 'read'>
  from: From
  acceptLoss: boolean
  /** The folder is locked: the bridge is stopped. */
  swap: boolean
  now(): number
  /** Told of each commit. */
  onProgress(topic: string, partition: number, position: number, to: number): void
  /** Told when all is counted and compared, before anything is put in place. */
  onCompared(report: Report): void
}

export type Report = {
  /** `finished`: an earlier rebuild was taken up. */
  begun: Base['kind']
  /** The file of the checkpoint that it begins with; undefined: the log's start. */
  checkpoint: string | undefined
  losses: Loss[]
  /** With the store before; undefined where that is not legible. */
  compared: { differences: Difference[]; minutes: number; first: MinuteDifference[] } | undefined
  /** Why the store before is not legible. */
  illegible: string | undefined
  /** What the old one is kept as, once it was swapped; null: there was none. */
  swapped?: string | null
}

export const REBUILT = 'rebuilt.db'
const DONE = 'rebuilt'
const MINUTES_SHOWN = 20

/**
 * Counts the log anew into `<folder>/rebuilt.db`, with the definitions of now, up to where the old store stands (or, where
 * that is not legible, to the ends of the topics), and compares the two. Nothing of the old is touched but by `swap`,
 * which takes up a rebuilt store that is there already, unless told where to begin.
 *
 * @throws StartError when Kafka no longer has what is needed, or a name was counted with another meaning.
 */
export async function rebuild(options: RebuildOptions): Promise<Report> {
  const { folder } = options
  const lock = lockFolder(join(folder, 'rebuild'), 'rebuild')
  const old = await openOld(folder)
  try {
    const base = await chooseBase(options, old.summary, await finished(options))
    const rebuilt = await begin(options, base, old)
    try {
      return await finish(options, base, old, rebuilt)
    } catch (error) {
      await rebuilt.finish()
      throw error
    }
  } finally {
    await closeOld(folder, old)
    lock.release()
  }
}

/** What a rebuild before has counted, if it came to its end and `swap` shall take it up. */
async function finished(options: RebuildOptions): Promise<Summary | undefined> {
  if (!options.swap || options.from !== 'newest') return undefined
  if (!existsSync(join(options.folder, REBUILT))) return undefined
  try {
    const earlier = openRebuiltStore(options.folder, REBUILT)
    const summary = earlier.note(DONE) ? earlier.summary() : undefined
    await earlier.finish()
    return summary
  } catch {
    return undefined
  }
}

async function begin(options: RebuildOptions, base: Base, old: Old): Promise<RebuiltStore> {
  const { folder, streams, now } = options
  const path = join(folder, REBUILT)
  if (base.kind !== 'finished') await remove(path)
  if (base.kind === 'checkpoint') await copyFile(join(folder, base.file), path)
  const rebuilt = openRebuiltStore(folder, REBUILT)
  rebuilt.setNote(DONE, '')
  if (base.kind === 'start') {
    if (base.known) rebuilt.setStoreId(base.known.storeId)
    for (const { name } of streams) {
      const state = base.known?.streams.find(({ stream }) => stream === name)
      const nowMs = now()
      // Sealed at the end: what was on time then is not too late now.
      await rebuilt.store.addStream(name, state?.firstMinuteMs ?? nowMs - (nowMs % MINUTE_MS), 0)
    }
  }
  await makeKnown(rebuilt.store, streams, now())
  await count(options, base, rebuilt)
  await takeOver(options, base, old, rebuilt)
  rebuilt.setNote(DONE, new Date(now()).toISOString())
  return rebuilt
}

async function count(options: RebuildOptions, { parts }: Base, { store }: RebuiltStore) {
  const { streams, reader, now, onProgress } = options
  for (const part of parts) {
    const { topic, partition } = part.begin
    const fold = createFold(streams.find((stream) => stream.topic === topic)!)
    const onCommit = (position: number) => onProgress(topic, partition, position, part.to)
    await countPart({ store, fold, reader, nowMs: now(), onCommit }, part)
  }
}

/** What no log tells: from the old store; without one, what follows from the clock. */
async function takeOver(options: RebuildOptions, base: Base, old: Old, rebuilt: RebuiltStore) {
  const before = (await old.store?.snapshot())?.streams
  if (old.store) rebuilt.takeRevisions(OLD)
  for (const state of (await rebuilt.store.snapshot()).streams) {
    const told = before?.find(({ stream }) => stream === state.stream)
    if (told) rebuilt.setStream(state.stream, told)
    else if (base.kind === 'start') {
      const sealedBeforeMs = retainedFromMs(options.now())
      rebuilt.setStream(state.stream, { ...state, sealedBeforeMs })
    }
  }
}

async function finish(options: RebuildOptions, base: Base, old: Old, rebuilt: RebuiltStore) {
  const { folder, lake, streams, now } = options
  const report: Report = {
    begun: base.kind,
    checkpoint: base.kind === 'checkpoint' ? base.file : undefined,
    losses: base.losses,
    compared: undefined,
    illegible: old.illegible,
  }
  if (old.store) {
    const found = differences(await old.store.snapshot(), await rebuilt.store.snapshot())
    const { count, first } = minuteDifferences(folder, OLD, REBUILT, MINUTES_SHOWN)
    report.compared = { differences: found, minutes: count, first }
  }
  options.onCompared(report)
  if (options.swap) {
    for (const stream of streams) await matchPublished(rebuilt, stream, lake, old.store)
  }
  await rebuilt.finish()
  if (options.swap) report.swapped = (await swap(folder, REBUILT, now())) ?? null
  return report
}

async function remove(path: string) {
  for (const end of ['', '-wal', '-shm']) await rm(`${path}${end}`, { force: true })
}
