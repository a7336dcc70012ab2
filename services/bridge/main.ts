// First: it must come before kafkajs does.
import './source/raw-batches.ts'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { checkReachable, createKafka, unreachable } from '../kafka/client.ts'
import { listen } from '../runtime/listen.ts'
import { lockFolder } from '../runtime/lock.ts'
import type { Logger } from '../runtime/logger.ts'
import { type Context, type Running, run } from '../runtime/run.ts'
import { version } from '../runtime/version.ts'
import { requireBrokers, type Settings } from '../settings/settings.ts'
import { createApp, createDurable, ProcessMetrics } from './expose/index.ts'
import { createFold } from './fold/index.ts'
import { Intake, Progress, readiness, statusOf, watch } from './intake/index.ts'
import { createPublisher, TARGETS } from './rollup/index.ts'
import { type Cluster, createSource, findTopics, openCluster } from './source/index.ts'
import { openSqliteStore, type Store } from './store/index.ts'
import { streams } from './streams/index.ts'
import { makeKnown } from './streams-known.ts'

/** A positions report to Kafka, for lag tools. */
const OFFSETS_PERIOD_MS = 5_000
/** A stop waits this long for each step that takes Kafka. */
const KAFKA_AWAY_MS = 1_500

const PUBLISH_PERIOD_MS = 500
/** For questions that are asked again and again: each fails soon rather than waiting. */
const ASKING = { retries: 3, initialRetryTime: 200, maxRetryTime: 1_000 }

await run('bridge', start)

async function start(context: Context): Promise<Running> {
  const { settings, logger, fail } = context
  requireBrokers(settings)
  const folder = join(settings.dataDir, 'bridge')
  const lock = lockFolder(folder, 'bridge')
  const now = Date.now
  const progress = new Map(streams.map(({ topic }) => [topic, new Progress()]))
  const names = streams.map(({ name }) => name)
  const metrics = new ProcessMetrics(names, TARGETS)
  const durable = createDurable(streams)
  let loaded: Store | undefined
  let counting: Intake | undefined
  const app = createApp({
    families: async () =>
      loaded && [
        ...durable(await loaded.snapshot()),
        ...metrics.families(
          streams.map((stream) => statusOf(stream, progress.get(stream.topic)!, now())),
          settings.dataDir,
          version,
        ),
      ],
    readiness: () => readiness(counting, progress, now()),
  })
  const server = await listen(app, settings.listen, 'METERBRIDGE_LISTEN')

  const store = openSqliteStore(folder)
  await makeKnown(store, streams, now())
  loaded = store

  await checkReachable(settings.kafka, 'meterbridge', logger)
  const { cluster, reading } = await ask(settings, store, logger).catch((error) => {
    throw unreachable(settings.kafka, error)
  })
  const topics = streams.map(({ topic }) => topic)
  for (const missing of topics.filter((topic) => !reading.includes(topic)))
    logger.warn({ topic: missing }, 'the topic does not exist yet; counting starts when it does')

  const intake = new Intake({
    store,
    cluster,
    folds: new Map(streams.map((stream) => [stream.topic, createFold(stream)])),
    now,
    logger,
    onPlaced: ({ topic, partition, position }) =>
      progress.get(topic)!.moved(partition, position, -1, now()),
    onCommit: (delta, timestamps, seconds) => {
      const { topic, partition } = delta.key
      progress.get(topic)!.moved(partition, delta.to, delta.maxTimeMs, now())
      metrics.committed(delta.stream, timestamps, seconds, now())
    },
  })
  const groupId = settings.kafka.groupId ?? `meterbridge-${store.id}`
  const kafka = createKafka(settings.kafka, 'meterbridge', logger)
  const source = createSource(kafka, groupId, intake, logger, fail)
  intake.connect(source)
  counting = intake
  await source.read(reading)
  logger.info({ storeId: store.id, groupId, topics: reading }, 'counting')

  const publisher = createPublisher(store, join(settings.dataDir, 'lake'), logger, (target) =>
    metrics.rollupFailed(target),
  )
  const publishAll = async () => {
    for (const stream of streams)
      await publisher.publish(stream, progress.get(stream.topic)!.closableMinuteMs(), now())
  }
  const stopping = new AbortController()
  const { signal } = stopping
  const onTopics = (found: string[]) => source.read(found)
  const watching = watch({ cluster, intake, progress, reading, now, logger, onTopics }, signal)
  watching.catch(fail)
  const publishing = every(PUBLISH_PERIOD_MS, signal, publishAll)
  publishing.catch(fail)
  const reporting = every(OFFSETS_PERIOD_MS, signal, () =>
    source.commitOffsets(intake.positions()).catch(() => {}),
  )

  return {
    stop: async () => {
      stopping.abort()
      await Promise.all([briefly(intake.stop()), briefly(watching), briefly(reporting), publishing])
      await publishAll()
      await briefly(source.commitOffsets(intake.positions()))
      await Promise.all([source.stop(), briefly(cluster.disconnect())])
      await server.close()
      await store.end()
      lock.release()
    },
  }
}

/** Does `work`, then waits, again and again until `signal` aborts. */
async function every(periodMs: number, signal: AbortSignal, work: () => Promise<void>) {
  while (!signal.aborted) {
    await work()
    await delay(periodMs, undefined, { signal }).catch(() => {})
  }
}

/** What must be known of Kafka before anything is read. */
async function ask({ kafka, createTopics, startFrom }: Settings, store: Store, logger: Logger) {
  const cluster = await openCluster(createKafka(kafka, 'meterbridge', logger, ASKING))
  const wanted = streams.map(({ topic }) => topic)
  const reading = await findTopics(cluster, wanted, createTopics, kafka.brokers)
  if (startFrom === 'latest') await beginAtEnd(store, cluster, reading)
  return { cluster, reading }
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

/** With Kafka away its calls are tried again without end; what is counted is durable and needs none of them. */
async function briefly(step: Promise<unknown>) {
  await Promise.race([step.catch(() => {}), delay(KAFKA_AWAY_MS)])
}
