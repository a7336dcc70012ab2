import type { Batch, Consumer, Kafka } from 'kafkajs'
import type { Logger } from '../../runtime/logger.ts'
import { StartError } from '../../runtime/start-error.ts'
import type { RecordBatch } from '../codec/index.ts'
import type { RawMessage } from './aborted.ts'

/** As much as memory allows: per partition and in all, of one fetch. */
export const FETCH = { maxBytesPerPartition: 1_048_576, maxBytes: 8_388_608 }
/** The least a broker takes: how soon another process takes over after a kill -9. */
const SESSION_TIMEOUT_MS = 6_000
const HEARTBEAT_MS = 1_500
/** A fetch waits this long for records: the longest that a stop has to wait. */
const MAX_WAIT_MS = 500
/** How soon new partitions are noticed. */
const METADATA_MAX_AGE_MS = 5_000
const DISCONNECT_DEADLINE_MS = 3_000
/** A supervisor sees by it that the Kafka client died and a fresh start is the mend. */
const EXIT_CONSUMER_DEAD = 70

export type TopicPartition = { topic: string; partition: number }

/** What one fetch brought of one partition. */
export type Fetched = TopicPartition & {
  /** In order; aborted and control batches left out. */
  batches: RecordBatch[]
  /** The batches that were left out. */
  withheld: RecordBatch[]
  /** The offset that was asked for. */
  askedOffset: number
  /** The first offset that came, of any batch. */
  firstOffset: number
  /** The next offset to read behind everything that came. */
  nextOffset: number
}

/** Who counts. Called for one partition at a time. */
export type Receiver = {
  /** These are ours now; none of them is read before it is sought and resumed. */
  assigned(partitions: TopicPartition[]): Promise<void>
  fetched(fetched: Fetched): Promise<void>
}

export type Source = {
  /** Joins the group and reads `topics`, which must exist. Called again, it reads these instead. */
  read(topics: string[]): Promise<void>
  /** Reads on from `offset`. */
  seek(partition: TopicPartition, offset: number): void
  resume(partitions: TopicPartition[]): void
  /** Tells lag tools how far we are; what counts is the store's position. */
  commitOffsets(positions: (TopicPartition & { position: number })[]): Promise<void>
  stop(): Promise<void>
}

export function createSource(
  kafka: Kafka,
  groupId: string,
  receiver: Receiver,
  logger: Logger,
  fail: (error: Error) => void,
): Source {
  let current: Consumer | undefined

  async function end() {
    const ended = current
    current = undefined
    if (!ended) return
    // With Kafka away, leaving the group may hang for longer than anybody waits.
    const deadline = new Promise((resolve) => setTimeout(resolve, DISCONNECT_DEADLINE_MS).unref())
    await Promise.race([ended.disconnect(), deadline]).catch((error) =>
      logger.warn({ err: error }, 'could not leave the consumer group'),
    )
  }

  /** A consumer that is no longer the current one does nothing, whatever kafkajs still does with it. */
  function open(): Consumer {
    const consumer: Consumer = kafka.consumer({
      groupId,
      ...FETCH,
      sessionTimeout: SESSION_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTimeInMs: MAX_WAIT_MS,
      metadataMaxAge: METADATA_MAX_AGE_MS,
      allowAutoTopicCreation: false,
      retry: {
        retries: 100_000,
        maxRetryTime: 2_000,
        restartOnFailure: async () => consumer === current,
      },
    })
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      const mine = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
        (partitions as number[]).map((partition) => ({ topic, partition })),
      )
      // Synchronously, before the first fetch: nothing may be read from the group's offsets.
      consumer.pause(group(mine))
      if (consumer === current) receiver.assigned(mine).catch(fail)
    })
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (payload.restart || consumer !== current) return
      const { message } = payload.error
      fail(new StartError(`the Kafka consumer died (${message}); start again`, EXIT_CONSUMER_DEAD))
    })
    return consumer
  }

  return {
    read: async (topics) => {
      // A new consumer: one that has been told of a topic asks for it for ever, also when it is deleted.
      await end()
      if (topics.length === 0) return
      const consumer = open()
      current = consumer
      await consumer.connect()
      await consumer.subscribe({ topics, fromBeginning: true })
      await consumer.run({
        autoCommit: false,
        eachBatch: async ({ batch, isStale, heartbeat }) => {
          if (isStale() || consumer !== current) return
          await receiver.fetched(toFetched(batch))
          await heartbeat()
        },
      })
    },
    seek: ({ topic, partition }, offset) =>
      current?.seek({ topic, partition, offset: String(offset) }),
    resume: (partitions) => current?.resume(group(partitions)),
    commitOffsets: async (positions) =>
      current?.commitOffsets(
        positions.map(({ topic, partition, position }) => ({
          topic,
          partition,
          offset: String(position),
        })),
      ),
    stop: end,
  }
}

function group(partitions: TopicPartition[]) {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, list]) => ({
    topic,
    partitions: list.map(({ partition }) => partition),
  }))
}

function toFetched(batch: Batch): Fetched {
  const { fetchedOffset } = batch as Batch & { fetchedOffset: string }
  const messages = batch.messages as unknown as RawMessage[]
  const { withheld = [], batches = [] } = Object.groupBy(messages, (message) =>
    message.withheld ? 'withheld' : 'batches',
  )
  return {
    topic: batch.topic,
    partition: batch.partition,
    batches: batches.map((message) => message.batch),
    withheld: withheld.map((message) => message.batch),
    askedOffset: Number(fetchedOffset),
    firstOffset: messages[0]?.batch.baseOffset ?? Number(fetchedOffset),
    nextOffset: Number(batch.lastOffset()) + 1,
  }
}
