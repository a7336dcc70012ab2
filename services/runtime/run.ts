import type { Settings } from '../settings/settings.ts'
import { loadDotEnv, readSettings } from '../settings/settings.ts'
import { createLogger, type Logger } from './logger.ts'
import { StartError } from './start-error.ts'

/** A clean stop takes at most this long (design, promise 9); what still hangs then is left behind. */
const STOP_DEADLINE_MS = 9_000
/** One Ctrl-C may arrive twice: from the terminal, and from npm, which passes it on. */
const SAME_PRESS_MS = 250

export type Running = {
  /** Finishes what is under way; resolves when nothing is left to lose. */
  stop(): Promise<void>
}

export type Context = {
  settings: Settings
  logger: Logger
  /** Ends the process from within, for a fault that only a fresh start mends. */
  fail(error: Error): void
}

/**
 * Runs one service as this process: reads the settings, starts it, and stops it on SIGTERM, SIGINT or SIGHUP
 * (a second signal exits at once). A `StartError` ends it with its sentence and code; any other error
 * is a defect and is logged with its stack.
 */
export async function run(service: string, start: (context: Context) => Promise<Running>) {
  let running: Running | undefined
  let stoppingSinceMs: number | undefined
  let logger: Logger | undefined

  const stop = async (exitCode: number) => {
    if (stoppingSinceMs !== undefined) {
      if (performance.now() - stoppingSinceMs < SAME_PRESS_MS) return
      process.exit(exitCode || 1)
    }
    stoppingSinceMs = performance.now()
    setTimeout(() => {
      logger?.error(`did not stop within ${STOP_DEADLINE_MS} ms; exiting`)
      process.exit(exitCode || 1)
    }, STOP_DEADLINE_MS).unref()
    await running?.stop()
    process.exit(exitCode)
  }
  const fail = (error: Error) => {
    if (stoppingSinceMs !== undefined) return
    report(service, logger, error)
    void stop(error instanceof StartError ? error.exitCode : 1).catch(failStopping)
  }
  const failStopping = (error: Error) => {
    report(service, logger, error)
    process.exit(1)
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => void stop(0).catch(failStopping))
  }
  // Started by `npm start`: when that process is gone, however it ended, this one stops too.
  process.on('disconnect', () => {
    if (stoppingSinceMs === undefined) void stop(0).catch(failStopping)
  })
  process.on('uncaughtException', fail)
  process.on('unhandledRejection', (reason) =>
    fail(reason instanceof Error ? reason : new Error(String(reason))),
  )

  try {
    loadDotEnv()
    const settings = readSettings(process.env)
    logger = createLogger(service, settings.logLevel)
    running = await start({ settings, logger, fail })
  } catch (error) {
    report(service, logger, error as Error)
    process.exit(error instanceof StartError ? error.exitCode : 1)
  }
}

function report(service: string, logger: Logger | undefined, error: Error) {
  if (error instanceof StartError || !logger) {
    const text = error instanceof StartError ? error.message : (error.stack ?? error.message)
    process.stderr.write(`${service}: ${text}\n`)
  } else {
    logger.fatal({ err: error }, error.message)
  }
}
