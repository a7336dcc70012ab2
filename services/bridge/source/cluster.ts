import type { Kafka } from 'kafkajs'
import { createTopicIds } from './topic-id.ts'

/** The offsets of a partition that exist: from `low` up to, not including, `high` (the last stable offset). */
export type Bounds = { partition: number; low: number; high: number }

/** A topic as it is now: which incarnation (undefined: the broker cannot tell), and what each partition holds. */
export type TopicBounds = { topicId: string | undefined; partitions: Bounds[] }

/** What is asked of the cluster besides records. Each call answers, or throws within the client's retries. */
export type Cluster = {
  /** @throws Error when the topic does not exist. */
  bounds(topic: string): Promise<TopicBounds>
  topics(): Promise<Set<string>>
  /** Makes topics of one partition where they do not exist. */
  create(topics: string[]): Promise<void>
  /** Forgets all topics: kafkajs fails for every topic it has been asked about once one of them is deleted. */
  renew(): Promise<void>
  disconnect(): Promise<void>
}

/** @param kafka a client with few retries: these questions are asked again anyway. */
export async function openCluster(kafka: Kafka): Promise<Cluster> {
  const ids = createTopicIds(kafka)
  let admin = kafka.admin()
  await admin.connect()
  return {
    bounds: async (topic) => {
      const [topicId, offsets] = await Promise.all([ids.of(topic), admin.fetchTopicOffsets(topic)])
      const partitions = offsets.map(({ partition, low, high }) => ({
        partition,
        low: Number(low),
        high: Number(high),
      }))
      return { topicId, partitions }
    },
    topics: async () => new Set(await admin.listTopics()),
    create: async (topics) => {
      const existing = new Set(await admin.listTopics())
      const missing = topics.filter((topic) => !existing.has(topic))
      if (missing.length === 0) return
      // The shop may be making them at this very moment.
      await admin
        .createTopics({ topics: missing.map((topic) => ({ topic })), waitForLeaders: true })
        .catch((error) => {
          if (!isExisting(error)) throw error
        })
    },
    renew: async () => {
      const old = admin
      admin = kafka.admin()
      await admin.connect()
      await old.disconnect()
    },
    disconnect: async () => void (await Promise.all([admin.disconnect(), ids.disconnect()])),
  }
}

/** kafkajs collects one error per topic. */
function isExisting(error: { type?: string; errors?: { type?: string }[] }): boolean {
  const errors = error.errors ?? [error]
  return errors.every(({ type }) => type === 'TOPIC_ALREADY_EXISTS')
}
