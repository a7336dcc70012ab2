import type { Consumer, Kafka } from 'kafkajs'
import { within } from '../../runtime/deadline.ts'
import { EXIT } from '../../runtime/exit-codes.ts'
import type { Logger } from '../../runtime/logger.ts'
import { StartError } from '../../runtime/start-error.ts'
import { byTopic, type Fetched, type TopicPartition, toFetched } from './fetched.ts'

/** As much as memory allows: per partition and in all, of one fetch. */
export const FETCH = { maxBytesPerPartition: 1_048_576, maxBytes: 8_388_608 }
/** The least a broker takes: how soon another process takes over after a kill -9. */
const SESSION_TIMEOUT_MS = 6_000
const HEARTBEAT_MS = 1_500
/** A fetch waits this long for records: the longest that a stop has to wait. */
const MAX_WAIT_MS = 500
/** How soon new partitions are noticed. */
const METADATA_MAX_AGE_MS = 5_000
/** Connecting, and asking for the topics. Joining the group has no end of its own: the watchdog sees whether it comes to one. */
const BEGIN_DEADLINE_MS = 15_000
const COMMIT_DEADLINE_MS = 5_000
const DISCONNECT_DEADLINE_MS = 3_000

/** Who counts. Called for one partition at a time. */
export type Receiver = {
  /** These are ours now; none of them is read before it is sought and resumed. */
  assigned(partitions: TopicPartition[]): Promise<void>
  fetched(fetched: Fetched): Promise<void>
}

export type Source = {
  /**
   * Joins the group and reads `topics`, which must exist. Called again, it reads these instead, by a new connection.
   *
   * @throws Error when Kafka does not answer in time; then nothing is read until the next call.
   */
  read(topics: string[]): Promise<void>
  /** Reads on from `offset`. */
  seek(partition: TopicPartition, offset: number): void
  pause(partitions: TopicPartition[]): void
  resume(partitions: TopicPartition[]): void
  /**
   * Tells lag tools how far we are; what counts is the store's position.
   *
   * @throws Error when Kafka does not answer in time.
   */
  commitOffsets(positions: (TopicPartition & { position: number })[]): Promise<void>
  /** Leaves the group, if Kafka lets it in time. */
  stop(deadlineMs?: number): Promise<void>
}

export function createSource(
  kafka: Kafka,
  groupId: string,
  receiver: Receiver,
  logger: Logger,
  fail: (error: Error) => void,
): Source {
  let current: Consumer | undefined
  let committing: Promise<void> = Promise.resolve()
  /** Behind a proxy whose Kafka is away, a consumer begins anew ten times a second: told once, until one joins. */
  let beginningTold = false

  async function end(deadlineMs = DISCONNECT_DEADLINE_MS) {
    const ended = current
    current = undefined
    if (!ended) return
    // With Kafka away, leaving the group may hang for longer than anybody waits.
    await within(ended.disconnect(), deadlineMs, 'it').catch(({ message }) =>
      logger.warn(`could not leave the consumer group: ${message}`),
    )
  }

  function die(error: Error) {
    const sentence = `the Kafka consumer died (${error.message}); start again`
    fail(new StartError(sentence, EXIT.consumerDead))
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
      beginningTold = false
      // Synchronously, before the first fetch: nothing may be read from the group's offsets.
      consumer.pause(byTopic(mine))
      if (consumer === current) receiver.assigned(mine).catch(fail)
    })
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (consumer !== current) return
      if (!payload.restart) return die(payload.error)
      if (!beginningTold)
        logger.info({ reason: payload.error.message }, 'the Kafka consumer begins anew')
      beginningTold = true
    })
    return consumer
  }

  async function begin(consumer: Consumer, topics: string[]) {
    await consumer.connect()
    await consumer.subscribe({ topics, fromBeginning: true })
    if (consumer !== current) return
    const running = consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch, isStale, heartbeat }) => {
        if (isStale() || consumer !== current) return
        await receiver.fetched(toFetched(batch))
        await heartbeat()
      },
    })
    running.catch((error) => consumer === current && die(error))
  }

  return {
    read: async (topics) => {
      // A new consumer: one that has been told of a topic asks for it for ever, also when it is deleted.
      await end()
      if (topics.length === 0) return
      const consumer = open()
      current = consumer
      const begun = begin(consumer, topics)
      try {
        await within(begun, BEGIN_DEADLINE_MS, 'connecting to Kafka')
      } catch (error) {
        current = undefined
        // It goes on trying: as soon as that comes to an end, its connections are closed.
        const close = () => consumer.disconnect()
        begun.then(close, close).catch(() => {})
        throw error
      }
    },
    seek: ({ topic, partition }, offset) =>
      current?.seek({ topic, partition, offset: String(offset) }),
    pause: (partitions) => current?.pause(byTopic(partitions)),
    resume: (partitions) => current?.resume(byTopic(partitions)),
    commitOffsets: async (positions) => {
      const consumer = current
      if (!consumer || positions.length === 0) return
      // One after the other: kafkajs tries each without end, and an old one must not come after a newer.
      committing = committing
        .catch(() => {})
        .then(() => consumer.commitOffsets(positions.map(toOffset)))
      await within(committing, COMMIT_DEADLINE_MS, 'telling Kafka the positions')
    },
    stop: end,
  }
}

function toOffset({ topic, partition, position }: TopicPartition & { position: number }) {
  return { topic, partition, offset: String(position) }
}
