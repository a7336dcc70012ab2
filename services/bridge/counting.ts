import { createKafka, unreachable } from '../kafka/client.ts'
import { within } from '../runtime/deadline.ts'
import type { Context } from '../runtime/run.ts'
import { every } from './every.ts'
import type { ProcessMetrics } from './expose/index.ts'
import { createFold } from './fold/index.ts'
import { Intake, type Progress, type Readiness, Watch } from './intake/index.ts'
import { prepare } from './prepare.ts'
import { createRedrive, type Redriving } from './redrive/index.ts'
import { createSource } from './source/index.ts'
import type { Store } from './store/index.ts'
import { streams } from './streams/index.ts'

/** A positions report to Kafka, for lag tools. */
const OFFSETS_PERIOD_MS = 5_000
/** A stop waits this long for Kafka's answer: what is counted is durable, and needs none. */
const KAFKA_AWAY_MS = 1_500
/** With Kafka away, nobody is left to say goodbye to. */
const LEAVE_AWAY_MS = 500

export type CountingOptions = {
  store: Store
  /** By topic. */
  progress: Map<string, Progress>
  metrics: ProcessMetrics
  now(): number
}

export type Counting = {
  readiness(): Readiness
  redrive: Redriving
  /** Ends it in order: finishes what is under way, tells Kafka how far it came, leaves the group. */
  stop(): Promise<void>
}

/** From Kafka into the store, until it is stopped. @throws StartError when there is nothing to read from. */
export async function startCounting(
  { settings, logger, fail }: Context,
  { store, progress, metrics, now }: CountingOptions,
): Promise<Counting> {
  const { cluster, reader, reading } = await prepare(settings, store, logger)
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
  await source.read(reading).catch((error) => {
    throw unreachable(settings.kafka, error)
  })
  logger.info({ storeId: store.id, groupId, topics: reading }, 'counting')

  const stopping = new AbortController()
  const watch = new Watch({ cluster, source, intake, progress, reading, now, logger, fail })
  const watching = watch.run(stopping.signal)
  watching.catch(fail)
  const tell = () => source.commitOffsets(intake.positions())
  const telling = every(OFFSETS_PERIOD_MS, stopping.signal, () => tell().catch(() => {}))

  const redrive = createRedrive({ store, cluster, reader, intake, now, logger })

  const leave = async () => {
    const told = within(intake.stop().then(tell), KAFKA_AWAY_MS, 'it')
    const answers = await told.then(
      () => true,
      () => false,
    )
    await source.stop(answers ? undefined : LEAVE_AWAY_MS)
  }
  return {
    readiness: () => watch.readiness(),
    redrive,
    stop: async () => {
      stopping.abort()
      const rest = Promise.allSettled([
        watching,
        telling,
        cluster.disconnect(),
        reader.disconnect(),
      ])
      await Promise.all([leave(), within(rest, KAFKA_AWAY_MS, 'it').catch(() => {})])
    },
  }
}
