import type { Cluster, TopicBounds } from '../source/index.ts'

/** What Kafka has of `topics`, by topic; those that do not exist are left out. @throws Error when it does not answer. */
export async function readLogs(
  cluster: Pick<Cluster, 'topics' | 'bounds'>,
  topics: readonly string[],
): Promise<Map<string, TopicBounds>> {
  const existing = await cluster.topics()
  const found = topics.filter((topic) => existing.has(topic))
  return new Map(
    await Promise.all(found.map(async (topic) => [topic, await cluster.bounds(topic)] as const)),
  )
}
