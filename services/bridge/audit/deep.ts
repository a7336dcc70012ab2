import { unreachable } from '../../kafka/client.ts'
import type { Settings } from '../../settings/settings.ts'
import type { RecountFindings } from './recount/recount.ts'
import { runInThread } from './thread.ts'

const WORKER = new URL('./recount/worker.ts', import.meta.url)
/** kafkajs spreads all records of a batch as arguments: a million take 8 MB of stack. */
const STACK_MB = 64

/**
 * Reads the topics again, with kafkajs's own decoder and a count of its own, up to the stored positions, and
 * compares. In a thread, because of the stack that kafkajs takes, and to have a kafkajs without the bridge's codec.
 *
 * @throws StartError when Kafka cannot be reached.
 */
export async function deepAudit(settings: Settings): Promise<RecountFindings> {
  try {
    return await runInThread(WORKER, settings, { resourceLimits: { stackSizeMb: STACK_MB } })
  } catch (error) {
    if (!(error as Error).name.startsWith('KafkaJS')) throw error
    throw unreachable(settings.kafka, error as Error)
  }
}
