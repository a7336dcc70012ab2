import type { Message } from 'kafkajs'
import { createKafka } from '../../kafka/client.ts'
import { HEADERS } from '../../kafka/headers.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { KafkaSettings } from '../../settings/settings.ts'
import type { NumberedRow } from './numbering.ts'

const CLIENT_ID = 'meterbridge-shop'
const ACKS_ALL = -1
const PARTITIONS_OF_NEW_TOPIC = 1
/** The relay itself retries, without end; a send of kafkajs's that did so could not be stopped. */
const RETRY = { retries: 2, initialRetryTime: 100, maxRetryTime: 500 }
/** A refusal must not hide an attempt before it that may have brought the records to Kafka. */
const NO_RETRY = { retries: 0 }

/** What the relay needs of Kafka. */
export type Connection = {
  /** The number of partitions of those of `topics` that exist. */
  partitions(topics: string[]): Promise<Map<string, number>>
  /** They may appear a moment later. */
  createTopics(topics: string[]): Promise<void>
  /**
   * Resolves when all replicas in sync have `rows`, all of one topic and partition.
   *
   * @param stampedMs the record timestamp; by default the event time, or now if that is earlier.
   */
  send(rows: NumberedRow[], stampedMs?: number): Promise<void>
  close(): Promise<void>
}

/** @throws kafkajs's errors when no broker answers. */
export async function connectToKafka(kafka: KafkaSettings, logger: Logger): Promise<Connection> {
  // The relay tells about an outage once; kafkajs would at every attempt.
  const quiet = logger.child({}, { level: logger.isLevelEnabled('debug') ? 'debug' : 'silent' })
  const client = createKafka(kafka, CLIENT_ID, quiet, RETRY)
  const admin = client.admin()
  const producer = client.producer({
    retry: NO_RETRY,
    allowAutoTopicCreation: false,
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition ?? 0,
  })
  const close = async () => {
    await Promise.allSettled([producer.disconnect(), admin.disconnect()])
  }
  const attempts = await Promise.allSettled([admin.connect(), producer.connect()])
  const failed = attempts.find((attempt) => attempt.status === 'rejected')
  if (failed) {
    void close()
    throw failed.reason
  }
  return {
    close,
    async partitions(topics) {
      const metadata = await admin.fetchTopicMetadata().catch((error) => {
        // What kafkajs makes of it when every broker fails to answer.
        throw error instanceof TypeError ? new Error('no broker tells its topics') : error
      })
      const found = metadata.topics.filter(({ name }) => topics.includes(name))
      return new Map(found.map(({ name, partitions }) => [name, partitions.length]))
    },
    async createTopics(topics) {
      const wanted = topics.map((topic) => ({ topic, numPartitions: PARTITIONS_OF_NEW_TOPIC }))
      await admin.createTopics({ topics: wanted, waitForLeaders: false })
    },
    async send(rows, stampedMs) {
      const { topic, partition } = rows[0]!
      const messages = rows.map((row) => toMessage(row, stampedMs))
      const answers = await producer.send({ topic, acks: ACKS_ALL, messages })
      // kafkajs drops what goes to a partition that its metadata does not have, and calls it sent.
      if (answers.some((answer) => answer.topicName === topic && answer.partition === partition))
        return
      throw new Error(`partition ${partition} of ${topic} cannot be reached`)
    },
  }
}

/** Kafka takes no stamp far ahead: events of a time when our clock was are not sent one by one for that. */
function toMessage(row: NumberedRow, stampedMs = Math.min(row.eventTime, Date.now())): Message {
  return {
    key: row.key,
    value: row.value,
    partition: row.partition,
    timestamp: String(stampedMs),
    headers: {
      [HEADERS.time]: String(row.eventTime),
      [HEADERS.source]: row.source,
      [HEADERS.sequence]: String(row.sequence),
      ...(row.previous !== null && { [HEADERS.previous]: row.previous }),
    },
  }
}
