import { checkReachable, createKafka, unreachable } from '../kafka/client.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Settings } from '../settings/settings.ts'
import { type Cluster, findTopics, openCluster, openLogReader } from './source/index.ts'
import type { Store } from './store/index.ts'
import { streams } from './streams/index.ts'

/** For questions that are asked again and again: each fails soon rather than waiting. */
const ASKING = { retries: 3, initialRetryTime: 200, maxRetryTime: 1_000 }

/**
 * What must be known of Kafka before anything is read, and which of the streams' topics there are.
 *
 * @throws StartError when Kafka cannot be reached, or none of the topics exists.
 */
export async function prepare(settings: Settings, store: Store, logger: Logger) {
  await checkReachable(settings.kafka, 'meterbridge', logger)
  try {
    return await ask(settings, store, logger)
  } catch (error) {
    throw unreachable(settings.kafka, error as Error)
  }
}

async function ask({ kafka, createTopics, startFrom }: Settings, store: Store, logger: Logger) {
  const client = createKafka(kafka, 'meterbridge', logger, ASKING)
  const cluster = await openCluster(client)
  const wanted = streams.map(({ topic }) => topic)
  const reading = await findTopics(cluster, wanted, createTopics, kafka.brokers)
  for (const topic of wanted.filter((name) => !reading.includes(name)))
    logger.warn({ topic }, 'the topic does not exist yet; counting starts when it does')
  if (startFrom === 'latest') await beginAtEnd(store, cluster, reading)
  return { cluster, reader: openLogReader(client), reading }
}

/** A new store shall start behind what the topics hold now. What appears later is read from its start. */
async function beginAtEnd(store: Store, cluster: Cluster, topics: string[]) {
  if ((await store.snapshot()).partitions.length > 0) return
  const starts = topics.map(async (topic) => {
    const stream = streams.find((candidate) => candidate.topic === topic)!.name
    const { topicId, partitions } = await cluster.bounds(topic)
    return partitions.map(({ partition, high }) => ({
      ...{ topic, partition, incarnation: 1, stream, topicId, start: high },
    }))
  })
  await store.begin((await Promise.all(starts)).flat())
}
