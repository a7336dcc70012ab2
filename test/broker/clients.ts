import { randomUUID } from 'node:crypto'
import { type ConsumerConfig, type ITopicConfig, Kafka, type KafkaMessage, logLevel } from 'kafkajs'
import { until } from '../harness/until.ts'

/** The least that Apache Kafka takes. */
export const SESSION_TIMEOUT_MS = 6_000

export type Received = KafkaMessage & { partition: number }

export function connect(brokers: string): Kafka {
  return new Kafka({
    brokers: [brokers],
    logLevel: logLevel.NOTHING,
    retry: { retries: 5, initialRetryTime: 50, maxRetryTime: 500 },
  })
}

export function uniqueName(what: string): string {
  return `${what}-${randomUUID().slice(0, 8)}`
}

export async function withAdmin<T>(
  brokers: string,
  use: (admin: ReturnType<Kafka['admin']>) => Promise<T>,
): Promise<T> {
  const admin = connect(brokers).admin()
  await admin.connect()
  return use(admin).finally(() => admin.disconnect())
}

/** A new topic of its own for a test, once it can be written to. @returns its name. */
export async function createTopic(brokers: string, config: Partial<ITopicConfig> = {}) {
  const topic = uniqueName('contract')
  await withAdmin(brokers, async (admin) => {
    await admin.createTopics({ topics: [{ topic, ...config }], waitForLeaders: false })
    // kafkajs can wait by itself, but only for the leaders' names, not until they are ready.
    await until(`all partitions of ${topic} answer`, async () => {
      return (await admin.fetchTopicOffsets(topic)).length === (config.numPartitions ?? 1)
    })
  })
  return topic
}

type Message = Parameters<ReturnType<Kafka['producer']>['send']>[0]['messages'][0]

/** @throws Error also where kafkajs does not: it drops what goes to a partition that it has not heard of yet. */
export async function produce(
  brokers: string,
  topic: string,
  messages: Message[],
  options: { acks?: number; compression?: number } = {},
) {
  const producer = connect(brokers).producer({ allowAutoTopicCreation: false })
  await producer.connect()
  const answers = await producer
    .send({ topic, messages, ...options })
    .finally(() => producer.disconnect())
  const answered = new Set(answers.map(({ partition }) => partition))
  for (const { partition } of options.acks === 0 ? [] : messages) {
    if (partition === undefined || answered.has(partition)) continue
    throw new Error(`partition ${partition} of ${topic} is not known yet`)
  }
  return answers
}

/** A running group member: what it got so far, and its end. */
export async function startConsumer(
  brokers: string,
  topic: string,
  { fromBeginning = true, ...config }: Partial<ConsumerConfig> & { fromBeginning?: boolean } = {},
) {
  const consumer = connect(brokers).consumer({
    groupId: uniqueName('group'),
    sessionTimeout: SESSION_TIMEOUT_MS,
    heartbeatInterval: 200,
    maxWaitTimeInMs: 100,
    allowAutoTopicCreation: false,
    ...config,
  })
  const received: Received[] = []
  let assigned: number[] | undefined
  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    assigned = payload.memberAssignment[topic] ?? []
  })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning })
  await consumer.run({
    eachMessage: async ({ partition, message }) => void received.push({ ...message, partition }),
  })
  return {
    consumer,
    received,
    assigned: () => assigned,
    /** Waits for so many records in all. */
    async gets(count: number) {
      await until(`${count} records of ${topic}`, () => received.length >= count)
      return received
    },
    async [Symbol.asyncDispose]() {
      await consumer.disconnect()
    },
  }
}

/** Records of a topic from its beginning, as soon as there are `count`. */
export async function readAll(brokers: string, topic: string, count: number): Promise<Received[]> {
  await using running = await startConsumer(brokers, topic)
  return await running.gets(count)
}

export function values(received: Received[]): string[] {
  return received.map(({ value }) => String(value))
}
