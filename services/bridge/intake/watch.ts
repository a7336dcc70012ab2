import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../runtime/logger.ts'
import type { Cluster } from '../source/index.ts'
import type { Intake } from './intake.ts'
import type { Progress } from './progress.ts'

const PERIOD_MS = 1_000
/** Topics are looked for this often: a new one is found within 10 s with the time it takes to join. */
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
  /** Other wanted topics exist now than are read: read these. */
  onTopics(topics: string[]): Promise<void>
}

/** Looks, once a second until `signal` aborts, at where the topics end, and whether topics have come or gone. */
export async function watch(options: WatchOptions, signal: AbortSignal) {
  const { cluster, intake, progress, now, logger } = options
  let { reading } = options
  let lookedAtMs = now()
  while (!signal.aborted) {
    for (const topic of reading) {
      try {
        const readAtMs = now()
        const bounds = await cluster.bounds(topic)
        if (signal.aborted) return
        progress.get(topic)!.ends(bounds.partitions, readAtMs)
        await intake.look(topic, bounds)
      } catch (error) {
        logger.warn({ topic, reason: (error as Error).message }, 'cannot read where the topic ends')
      }
    }
    if (now() - lookedAtMs > TOPICS_PERIOD_MS) {
      lookedAtMs = now()
      reading = await existingTopics(options, reading)
    }
    await delay(PERIOD_MS, undefined, { signal }).catch(() => {})
  }
}

/** Goes over to the wanted topics that exist, when they are others than `reading`. */
async function existingTopics(options: WatchOptions, reading: string[]): Promise<string[]> {
  const { cluster, progress, onTopics, logger } = options
  try {
    const existing = await cluster.topics()
    const found = [...progress.keys()].filter((topic) => existing.has(topic))
    if (found.join() === reading.join()) return reading
    logger.warn({ before: reading, now: found }, 'topics have come or gone')
    for (const [topic, of] of progress) if (!found.includes(topic)) of.forget()
    await cluster.renew()
    await onTopics(found)
    return found
  } catch (error) {
    logger.warn({ reason: (error as Error).message }, 'cannot look for topics')
    return reading
  }
}
