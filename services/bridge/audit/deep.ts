import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { unreachable } from '../../kafka/client.ts'
import { StartError } from '../../runtime/start-error.ts'
import type { Settings } from '../../settings/settings.ts'
import type { RecountFindings } from './recount/recount.ts'

/** kafkajs spreads all records of a batch as arguments: a million take 8 MB of stack. */
const STACK_MB = 64

/**
 * Reads the topics again, with kafkajs's own decoder and a count of its own, up to the stored positions, and
 * compares. In a thread, because of the stack that kafkajs takes, and to have a kafkajs without the bridge's codec.
 *
 * @throws StartError when Kafka cannot be reached.
 */
export async function deepAudit(settings: Settings): Promise<RecountFindings> {
  const worker = new Worker(new URL('./recount/worker.ts', import.meta.url), {
    workerData: settings,
    resourceLimits: { stackSizeMb: STACK_MB },
  })
  try {
    const [found] = await once(worker, 'message')
    return found as RecountFindings
  } catch (error) {
    // What a thread throws comes as a copy, of no class of ours.
    const { name, message } = error as Error
    if (name === 'StartError') throw new StartError(message)
    throw name.startsWith('KafkaJS') ? unreachable(settings.kafka, error as Error) : error
  } finally {
    await worker.terminate()
  }
}
