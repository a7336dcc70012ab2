// First: it must come before kafkajs does.
import './source/raw-batches.ts'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { checkReachable, createKafka } from '../kafka/client.ts'
import { listen } from '../runtime/listen.ts'
import { lockFolder } from '../runtime/lock.ts'
import { type Context, type Running, run } from '../runtime/run.ts'
import { version } from '../runtime/version.ts'
import { requireBrokers } from '../settings/settings.ts'
import { createApp, createDurable, ProcessMetrics } from './expose/index.ts'
import { createFold, MINUTE_MS } from './fold/index.ts'
import { Intake, Progress, readiness, statusOf, watch } from './intake/index.ts'
import { createPublisher, retainedFromMs, TARGETS } from './rollup/index.ts'
import { createAdmin, createCluster, createSource, findTopics } from './source/index.ts'
import { openSqliteStore, type Store } from './store/index.ts'
import { streams } from './streams/index.ts'

/** A positions report to Kafka, for lag tools. */
const OFFSETS_PERIOD_MS = 5_000
/** A stop waits this long for each step that takes Kafka. */
const KAFKA_AWAY_MS = 1_500

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
          streams.map((stream) => statusOf(stream, progress.get(stream.topic)!)),
          settings.dataDir,
          version,
        ),
      ],
    readiness: () => readiness(counting, progress, now()),
  })
  const server = await listen(app, settings.listen, 'METERBRIDGE_LISTEN')

  const store = openSqliteStore(folder)
  await addStreams(store, now())
  loaded = store

  const kafka = createKafka(settings.kafka, 'meterbridge', logger)
  await checkReachable(settings.kafka, 'meterbridge', logger)
  const admin = createAdmin(kafka)
  await admin.connect()
  const topics = streams.map(({ topic }) => topic)
  const reading = await findTopics(admin, topics, settings.createTopics, settings.kafka.brokers)
  for (const missing of topics.filter((topic) => !reading.includes(topic)))
    logger.warn({ topic: missing }, 'the topic does not exist yet; counting starts when it does')

  const cluster = createCluster(admin)
  const intake = new Intake({
    store,
    cluster,
    folds: new Map(streams.map((stream) => [stream.topic, createFold(stream)])),
    startFrom: (await store.snapshot()).partitions.length > 0 ? 'earliest' : settings.startFrom,
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
  const watching = watch(
    {
      cluster,
      intake,
      progress,
      reading,
      now,
      logger,
      onTopics: (found) => source.read(found),
      afterRound: publishAll,
    },
    stopping.signal,
  ).catch(fail)
  const reporting = setInterval(() => {
    source.commitOffsets(intake.positions()).catch(() => {})
  }, OFFSETS_PERIOD_MS)

  return {
    stop: async () => {
      clearInterval(reporting)
      stopping.abort()
      await Promise.all([briefly(intake.stop()), briefly(watching)])
      await publishAll()
      await briefly(source.commitOffsets(intake.positions()))
      await Promise.all([source.stop(), briefly(admin.disconnect())])
      await server.close()
      await store.end()
      lock.release()
    },
  }
}

/** With Kafka away its calls are tried again without end; what is counted is durable and needs none of them. */
async function briefly(step: Promise<unknown>) {
  await Promise.race([step.catch(() => {}), delay(KAFKA_AWAY_MS)])
}

async function addStreams(store: Store, nowMs: number) {
  for (const { name } of streams)
    await store.addStream(name, nowMs - (nowMs % MINUTE_MS), retainedFromMs(nowMs))
}
