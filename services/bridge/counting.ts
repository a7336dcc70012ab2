import { setTimeout as delay } from 'node:timers/promises'
import { createKafka } from '../kafka/client.ts'
import type { Context } from '../runtime/run.ts'
import { every } from './every.ts'
import type { ProcessMetrics } from './expose/index.ts'
import { createFold } from './fold/index.ts'
import { Intake, type Progress, readiness, watch } from './intake/index.ts'
import { prepare } from './prepare.ts'
import { createSource } from './source/index.ts'
import type { Store } from './store/index.ts'
import { streams } from './streams/index.ts'

/** A positions report to Kafka, for lag tools. */
const OFFSETS_PERIOD_MS = 5_000
/** A stop waits this long for each step that takes Kafka. */
const KAFKA_AWAY_MS = 1_500

export type CountingOptions = {
  store: Store
  /** By topic. */
  progress: Map<string, Progress>
  metrics: ProcessMetrics
  now(): number
}

export type Counting = {
  readiness(): ReturnType<typeof readiness>
  /** Ends it in order: finishes what is under way, tells Kafka how far it came, leaves the group. */
  stop(): Promise<void>
}

/** From Kafka into the store, until it is stopped. @throws StartError when there is nothing to read from. */
export async function startCounting(
  { settings, logger, fail }: Context,
  { store, progress, metrics, now }: CountingOptions,
): Promise<Counting> {
  const { cluster, reading } = await prepare(settings, store, logger)
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
  await source.read(reading)
  logger.info({ storeId: store.id, groupId, topics: reading }, 'counting')

  const stopping = new AbortController()
  const { signal } = stopping
  const onTopics = (found: string[]) => source.read(found)
  const watching = watch({ cluster, intake, progress, reading, now, logger, onTopics }, signal)
  watching.catch(fail)
  const reporting = every(OFFSETS_PERIOD_MS, signal, () =>
    source.commitOffsets(intake.positions()).catch(() => {}),
  )
  return {
    readiness: () => readiness(intake, progress, now()),
    stop: async () => {
      stopping.abort()
      await Promise.all([briefly(intake.stop()), briefly(watching), briefly(reporting)])
      await briefly(source.commitOffsets(intake.positions()))
      await Promise.all([source.stop(), briefly(cluster.disconnect())])
    },
  }
}

/** With Kafka away its calls are tried again without end; what is counted is durable and needs none of them. */
async function briefly(step: Promise<unknown>) {
  await Promise.race([step.catch(() => {}), delay(KAFKA_AWAY_MS)])
}
