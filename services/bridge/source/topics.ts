import { StartError } from '../../runtime/start-error.ts'
import type { Cluster } from './cluster.ts'

/**
 * The wanted topics that exist, after making the missing ones if `create`.
 *
 * @throws StartError when none exists.
 */
export async function findTopics(
  cluster: Cluster,
  wanted: string[],
  create: boolean,
  brokers: string[],
): Promise<string[]> {
  if (create) await cluster.create(wanted)
  const existing = await cluster.topics()
  const found = wanted.filter((topic) => existing.has(topic))
  if (found.length > 0) return found
  throw new StartError(
    `none of the topics ${wanted.join(', ')} exists at KAFKA_BROKERS=${brokers.join(',')}; create them, or set METERBRIDGE_CREATE_TOPICS=true`,
  )
}
