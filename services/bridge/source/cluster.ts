import type { Admin } from 'kafkajs'

/** The offsets of a partition that exist: from `low` up to, not including, `high` (the last stable offset). */
export type Bounds = { partition: number; low: number; high: number }

/** What can be asked of the cluster besides records. Each answers or throws within the admin client's retries. */
export type Cluster = {
  /** @throws Error when the topic does not exist. */
  bounds(topic: string): Promise<Bounds[]>
  topics(): Promise<Set<string>>
}

export function createCluster(admin: Admin): Cluster {
  return {
    bounds: async (topic) => {
      const offsets = await admin.fetchTopicOffsets(topic)
      return offsets.map(({ partition, low, high }) => ({
        partition,
        low: Number(low),
        high: Number(high),
      }))
    },
    topics: async () => new Set(await admin.listTopics()),
  }
}
