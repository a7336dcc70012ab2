import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { Admin, ITopicConfig } from 'kafkajs'
import { createKafka } from '../../services/kafka/client.ts'
import { createLogger } from '../../services/runtime/logger.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { freePort } from '../harness/ports.ts'
import { type Service, startService } from '../harness/service.ts'
import { until } from '../harness/until.ts'
import { missingForKafka, startKafka } from '../kafka/kafka.ts'

/** A cluster of the test's own, because the shop's topics have fixed names and the test takes it down. */
export type Cluster = {
  brokers: string
  /** Removes all topics. */
  empty(): Promise<void>
  kill(): Promise<void>
  restart(): Promise<void>
  end(): Promise<void>
}

export type ClusterKind = { name: string; skip: string | false; start(): Promise<Cluster> }

const missing = missingForKafka()
if (missing && process.env.CI === 'true') throw new Error(missing)

export const KAFKA: ClusterKind = {
  name: 'Apache Kafka',
  skip: missing || false,
  async start() {
    const alive = setInterval(() => {}, 1_000) // a pending hook does not keep the test process
    const kafka = await startKafka()
    return {
      brokers: kafka.brokers,
      empty: () =>
        withAdmin(kafka.brokers, async (admin) => {
          const topics = (await admin.listTopics()).filter((topic) => !topic.startsWith('__'))
          if (topics.length > 0) await admin.deleteTopics({ topics })
          await until('the topics are gone', async () =>
            (await admin.listTopics()).every((topic) => topic.startsWith('__')),
          )
        }),
      kill: () => kafka.kill9(),
      restart: () => kafka.restart(),
      end: () => kafka.stop().finally(() => clearInterval(alive)),
    }
  },
}

export const DEVELOPMENT_BROKER: ClusterKind = {
  name: 'development broker',
  skip: false,
  async start() {
    const folder = temporaryFolder()
    const address = `127.0.0.1:${await freePort()}`
    let data = ''
    let service: Service
    const launch = async () => {
      service = startService('services/broker/main.ts', {
        METERBRIDGE_DATA_DIR: data,
        METERBRIDGE_BROKER_LISTEN: address,
      })
      await until('the broker answers', () =>
        withAdmin(address, async (admin) => (await admin.listTopics()).length >= 0),
      )
    }
    const empty = async () => {
      await service?.end('SIGKILL')
      data = join(folder.path, randomUUID())
      await launch()
    }
    await empty()
    return {
      brokers: address,
      empty,
      kill: async () => void (await service.end('SIGKILL')),
      restart: launch,
      end: async () => {
        await service.end()
        folder[Symbol.dispose]()
      },
    }
  },
}

/** Makes topics and waits until they can be written. */
export async function createTopics(
  brokers: string,
  topics: string[],
  options: Omit<ITopicConfig, 'topic'> = {},
) {
  await withAdmin(brokers, async (admin) => {
    const wanted = topics.map((topic) => ({ topic, ...options }))
    await admin.createTopics({ topics: wanted, waitForLeaders: false })
    await until('the topics are there', async () => {
      const found = await admin.fetchTopicMetadata({ topics })
      return found.topics.every(({ partitions }) => partitions.length > 0)
    })
  })
}

export async function withAdmin<T>(brokers: string, use: (admin: Admin) => Promise<T>): Promise<T> {
  const retry = { retries: 3, initialRetryTime: 50, maxRetryTime: 200 }
  const settings = { brokers: [brokers], tls: false as const }
  const admin = createKafka(settings, 'test', createLogger('test', 'silent'), retry).admin()
  try {
    await admin.connect()
    return await use(admin)
  } finally {
    await admin.disconnect()
  }
}
