import { once } from 'node:events'
import { type ResourceLimits, Worker } from 'node:worker_threads'
import { StartError } from '../../runtime/start-error.ts'

export type ThreadOptions = { resourceLimits?: ResourceLimits; signal?: AbortSignal }

/**
 * Runs `script`, which posts one message, in a thread of its own.
 *
 * @param workerData plain data.
 * @throws what the thread throws, as a StartError where it was one; AbortError when `signal` aborts.
 */
export async function runInThread<T>(
  script: URL,
  workerData: object,
  { resourceLimits = {}, signal }: ThreadOptions,
): Promise<T> {
  const worker = new Worker(script, { workerData, resourceLimits })
  try {
    const [message] = await once(worker, 'message', { signal })
    return message as T
  } catch (error) {
    // What a thread throws comes as a copy, of no class of ours.
    const { name, message } = error as Error
    throw name === 'StartError' ? new StartError(message) : error
  } finally {
    await worker.terminate()
  }
}
