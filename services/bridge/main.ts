// First: it must come before kafkajs does.
import './source/raw-batches.ts'
import { join } from 'node:path'
import { listen } from '../runtime/listen.ts'
import { lockFolder } from '../runtime/lock.ts'
import { type Context, type Running, run } from '../runtime/run.ts'
import { version } from '../runtime/version.ts'
import { requireBrokers } from '../settings/settings.ts'
import { auditRegularly } from './audit/index.ts'
import { type Counting, startCounting } from './counting.ts'
import { every } from './every.ts'
import { createApp, createDurable, ProcessMetrics } from './expose/index.ts'
import { Progress, statusOf } from './intake/index.ts'
import { createCheckpoints } from './rebuild/index.ts'
import { createRedriveRoute, makeToken } from './redrive/index.ts'
import { createPublisher, TARGETS } from './rollup/index.ts'
import { openSqliteStore, refuseLost, type Store } from './store/index.ts'
import { streams } from './streams/index.ts'
import { makeKnown } from './streams-known.ts'

const PUBLISH_PERIOD_MS = 500
const CHECKPOINT_PERIOD_MS = 5_000
const CHECKPOINT = 'checkpoint'
const STARTING = { ready: false, why: 'connecting to Kafka' } as const

await run('bridge', start)

async function start(context: Context): Promise<Running> {
  const { settings, logger, fail } = context
  requireBrokers(settings)
  const folder = join(settings.dataDir, 'bridge')
  const lake = join(settings.dataDir, 'lake')
  const lock = lockFolder(folder, 'bridge')
  const now = Date.now
  const progress = new Map(streams.map(({ topic }) => [topic, new Progress()]))
  const names = streams.map(({ name }) => name)
  const metrics = new ProcessMetrics(names, [...TARGETS, CHECKPOINT])
  const durable = createDurable(streams)
  let loaded: Store | undefined
  let counting: Counting | undefined
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
    readiness: () => counting?.readiness() ?? STARTING,
  })
  app.route(
    '/redrive',
    createRedriveRoute(makeToken(folder), () => counting?.redrive),
  )
  const server = await listen(app, settings.listen, 'METERBRIDGE_LISTEN')

  refuseLost(folder, lake)
  const store = openSqliteStore(folder)
  await makeKnown(store, streams, now())
  loaded = store
  counting = await startCounting(context, { store, progress, metrics, now })

  const publisher = createPublisher(store, lake, logger, (target) => metrics.rollupFailed(target))
  const publishAll = async () => {
    for (const stream of streams)
      await publisher.publish(stream, progress.get(stream.topic)!.closableMinuteMs(), now())
  }
  const stopping = new AbortController()
  const publishing = every(PUBLISH_PERIOD_MS, stopping.signal, publishAll)
  publishing.catch(fail)
  const onFailed = () => metrics.rollupFailed(CHECKPOINT)
  const checkpoints = createCheckpoints(store, folder, logger, onFailed, stopping.signal)
  const checkpointing = every(CHECKPOINT_PERIOD_MS, stopping.signal, () => checkpoints.look(now()))
  checkpointing.catch(fail)
  const auditing = auditRegularly(
    {
      dataDir: settings.dataDir,
      logger,
      isReady: () => counting?.readiness().ready ?? false,
      onAudited: (differences) => metrics.audited(differences, now()),
    },
    stopping.signal,
  )
  auditing.catch(fail)

  return {
    stop: async () => {
      stopping.abort()
      // First of all the port is free for who comes next.
      await Promise.all([server.close(), counting.stop(), publishing])
      await publishAll()
      await store.end()
      lock.release()
    },
  }
}
