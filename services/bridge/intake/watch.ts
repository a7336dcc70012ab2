import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../runtime/logger.ts'
import type { Cluster } from '../source/index.ts'
import type { Intake } from './intake.ts'
import type { Progress } from './progress.ts'

const PERIOD_MS = 1_000
/** New topics are looked for this often: found within 10 s with the time it takes to join. */
const TOPICS_PERIOD_MS = 4_000

export type WatchOptions = {
  cluster: Cluster
  intake: Intake
  /** By topic. */
  progress: Map<string, Progress>
  /** Topics that are read. */
  reading: string[]
  now(): number
  logger: Logger
  /** All wanted topics that exist now, when there are more than before. */
  onTopics(topics: string[]): Promise<void>
  /** After each round. */
  afterRound(): Promise<void>
}

/** Looks, once a second until `signal` aborts, at where the topics end and whether new ones have come. */
export async function watch(options: WatchOptions, signal: AbortSignal) {
  const { cluster, intake, progress, now, logger } = options
  let { reading } = options
  let lookedAtMs = now()
  while (!signal.aborted) {
    for (const topic of reading) {
      try {
        const readAtMs = now()
        const bounds = await cluster.bounds(topic)
        progress.get(topic)!.ends(bounds, readAtMs)
        await intake.passOver(topic, bounds)
      } catch (error) {
        logger.warn({ topic, reason: (error as Error).message }, 'cannot read where the topic ends')
      }
    }
    if (reading.length < progress.size && now() - lookedAtMs > TOPICS_PERIOD_MS) {
      lookedAtMs = now()
      reading = await newTopics(options, reading)
    }
    await options.afterRound()
    await delay(PERIOD_MS, undefined, { signal }).catch(() => {})
  }
}

async function newTopics({ cluster, progress, onTopics, logger }: WatchOptions, reading: string[]) {
  try {
    const existing = await cluster.topics()
    const found = [...progress.keys()].filter((topic) => existing.has(topic))
    if (found.length <= reading.length) return reading
    await onTopics(found)
    return found
  } catch (error) {
    logger.warn({ reason: (error as Error).message }, 'cannot look for new topics')
    return reading
  }
}
