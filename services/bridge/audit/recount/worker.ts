import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { createKafka } from '../../../kafka/client.ts'
import { createLogger } from '../../../runtime/logger.ts'
import type { Settings } from '../../../settings/settings.ts'
import { openInnerCluster } from '../../source/inner-cluster.ts'
import { openReadOnly } from '../../store/read-only.ts'
import { streams } from '../../streams/index.ts'
import { registerCodecs } from './codecs.ts'
import type { LogCluster } from './log.ts'
import { recount } from './recount.ts'

/** A thread of its own, whose kafkajs is as it was published: nothing of the bridge's is put into it. */

const FEW_TRIES = { retries: 5, initialRetryTime: 200, maxRetryTime: 1_000 }

const { dataDir, kafka: cluster, logLevel } = workerData as Settings
const kafka = createKafka(cluster, 'meterbridge-audit', createLogger('audit', logLevel), FEW_TRIES)
const reading: LogCluster = openInnerCluster(kafka)
const store = openReadOnly(join(dataDir, 'bridge', 'bridge.db'))
registerCodecs()
await reading.connect()
try {
  parentPort?.postMessage(await recount({ store, dataDir, streams, kafka, cluster: reading }))
} finally {
  await reading.disconnect()
  store.close()
}
