import type { Kafka } from 'kafkajs'
import { StartError } from '../../runtime/start-error.ts'

/** Retries of one question to the cluster: an answer is wanted within seconds, and asked again anyway. */
const ADMIN_RETRY = { retries: 3, initialRetryTime: 200, maxRetryTime: 1_000 }

/** An admin client for questions that are asked again and again: each fails soon rather than waiting. */
export function createAdmin(kafka: Kafka) {
  return kafka.admin({ retry: ADMIN_RETRY })
}

/**
 * The wanted topics that exist, after making the missing ones if `create`.
 *
 * @throws StartError when none exists.
 */
export async function findTopics(
  admin: ReturnType<Kafka['admin']>,
  wanted: string[],
  create: boolean,
  brokers: string[],
): Promise<string[]> {
  if (create) {
    // Returns false where they exist; the shop may be making them at this very moment.
    await admin
      .createTopics({ topics: wanted.map((topic) => ({ topic })), waitForLeaders: true })
      .catch((error) => {
        if (error.type !== 'TOPIC_ALREADY_EXISTS') throw error
      })
  }
  const existing = new Set(await admin.listTopics())
  const found = wanted.filter((topic) => existing.has(topic))
  if (found.length > 0) return found
  throw new StartError(
    `none of the topics ${wanted.join(', ')} exists at KAFKA_BROKERS=${brokers.join(',')}; create them, or set METERBRIDGE_CREATE_TOPICS=true`,
  )
}
