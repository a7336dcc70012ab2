import { type Logger, pino } from 'pino'
import type { LogLevel } from '../settings/settings.ts'

export type { Logger }

/** Structured log lines (one JSON object each) on stderr, so that stdout stays free for people and pipes. */
export function createLogger(service: string, level: LogLevel): Logger {
  return pino(
    { level, base: { service }, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  )
}
