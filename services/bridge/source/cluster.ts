import type { Admin, Kafka } from 'kafkajs'
import { within } from '../../runtime/deadline.ts'
import { createTopicIds, type TopicIds } from './topic-id.ts'

/** The offsets of a partition that exist: from `low` up to, not including, `high` (the last stable offset). */
export type Bounds = { partition: number; low: number; high: number }

/** A topic as it is now: which incarnation (undefined: the broker cannot tell), and what each partition holds. */
export type TopicBounds = { topicId: string | undefined; partitions: Bounds[] }

/** Kafka answers in this time, or counts as silent. */
const ANSWER_DEADLINE_MS = 5_000
const CREATE_DEADLINE_MS = 20_000

/** What is asked of the cluster besides records. Each call answers, or throws, in time. */
export type Cluster = {
  /** @throws Error when the topic does not exist. */
  bounds(topic: string): Promise<TopicBounds>
  topics(): Promise<Set<string>>
  /** Makes topics of one partition where they do not exist. */
  create(topics: string[]): Promise<void>
  /**
   * Connects anew and forgets all topics: kafkajs fails for every topic it has been asked about once one of them is
   * deleted. Where that fails, the connections before stay.
   */
  renew(): Promise<void>
  disconnect(): Promise<void>
}

/** @param kafka a client with few retries: these questions are asked again anyway. */
export async function openCluster(kafka: Kafka): Promise<Cluster> {
  let connected: Promise<Connected> | undefined = Promise.resolve(await connect(kafka))

  async function ask<T>(
    question: (admin: Admin, ids: TopicIds) => Promise<T>,
    deadlineMs = ANSWER_DEADLINE_MS,
  ): Promise<T> {
    connected ??= connect(kafka)
    const used = connected
    const answer = used.then(({ admin, ids }) => question(admin, ids))
    try {
      return await within(answer, deadlineMs, "Kafka's answer")
    } catch (error) {
      // What kafkajs knows of the brokers may be broken for good: the next question begins anew.
      if (connected === used) connected = undefined
      leave(used)
      throw error
    }
  }

  return {
    bounds: (topic) => ask((admin, ids) => boundsOf(topic, admin, ids)),
    topics: async () => new Set(await ask((admin) => admin.listTopics())),
    create: (topics) => ask((admin) => createMissing(topics, admin), CREATE_DEADLINE_MS),
    renew: async () => {
      const fresh = await connect(kafka)
      if (connected) leave(connected)
      connected = Promise.resolve(fresh)
    },
    disconnect: async () => void (connected && (await disconnect(await connected))),
  }
}

type Connected = { admin: Admin; ids: TopicIds }

async function connect(kafka: Kafka): Promise<Connected> {
  const admin = kafka.admin()
  await within(admin.connect(), ANSWER_DEADLINE_MS, 'connecting to Kafka')
  return { admin, ids: createTopicIds(kafka) }
}

/** Gives it back once nobody can be waiting for an answer over it any more. */
function leave(connected: Promise<Connected>) {
  const end = () => connected.then(disconnect).catch(() => {})
  setTimeout(end, CREATE_DEADLINE_MS).unref()
}

async function disconnect({ admin, ids }: Connected) {
  const both = Promise.all([admin.disconnect(), ids.disconnect()])
  await within(both, ANSWER_DEADLINE_MS, 'disconnecting')
}

async function boundsOf(topic: string, admin: Admin, ids: TopicIds): Promise<TopicBounds> {
  const [topicId, offsets] = await Promise.all([ids.of(topic), admin.fetchTopicOffsets(topic)])
  const partitions = offsets.map(({ partition, low, high }) => ({
    partition,
    low: Number(low),
    high: Number(high),
  }))
  return { topicId, partitions }
}

async function createMissing(topics: string[], admin: Admin) {
  const existing = new Set(await admin.listTopics())
  const missing = topics.filter((topic) => !existing.has(topic))
  if (missing.length === 0) return
  // The shop may be making them at this very moment.
  await admin
    .createTopics({ topics: missing.map((topic) => ({ topic })), waitForLeaders: true })
    .catch((error) => {
      if (!isExisting(error)) throw error
    })
}

/** kafkajs collects one error per topic. */
function isExisting(error: { type?: string; errors?: { type?: string }[] }): boolean {
  const errors = error.errors ?? [error]
  return errors.every(({ type }) => type === 'TOPIC_ALREADY_EXISTS')
}
