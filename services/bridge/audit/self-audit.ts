import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../runtime/logger.ts'
import { StartError } from '../../runtime/start-error.ts'
import type { AuditReport } from './audit.ts'
import { runInThread } from './thread.ts'

const WORKER = new URL('./self-audit-worker.ts', import.meta.url)
const PERIOD_MS = 15 * 60_000
/** After the bridge is ready: it has enough to do when it starts. */
const FIRST_AFTER_MS = 60_000
const READY_CHECK_MS = 1_000
/** An audit that takes longer is given up. */
const DEADLINE_MS = 10 * 60_000

export type SelfAuditOptions = {
  dataDir: string
  logger: Logger
  isReady(): boolean
  /** How many things differ. Not called for an audit that could not be done. */
  onAudited(differences: number): void
  firstAfterMs?: number
  periodMs?: number
}

/** The running bridge audits its own store and files, in a thread: nothing that it does waits for that. */
export async function auditRegularly(options: SelfAuditOptions, signal: AbortSignal) {
  const { isReady, firstAfterMs = FIRST_AFTER_MS, periodMs = PERIOD_MS } = options
  try {
    while (!isReady()) await delay(READY_CHECK_MS, undefined, { signal })
    await delay(firstAfterMs, undefined, { signal })
    for (;;) {
      await auditOnce(options, signal)
      await delay(periodMs, undefined, { signal })
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

async function auditOnce({ dataDir, logger, onAudited }: SelfAuditOptions, signal: AbortSignal) {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(DEADLINE_MS)])
  try {
    const options = { signal: deadline }
    const { differences } = await runInThread<AuditReport>(WORKER, { dataDir }, options)
    for (const difference of differences)
      logger.error({ difference }, 'the audit found a difference')
    onAudited(differences.length)
  } catch (error) {
    if (signal.aborted) throw error
    logger.error({ err: error }, 'the audit could not be done')
    // The store is damaged.
    if (error instanceof StartError) onAudited(1)
  }
}
