import type { Logger } from '../runtime/logger.ts'
import { StartError } from '../runtime/start-error.ts'
import type { Settings } from '../settings/settings.ts'

/** What a command ends with. */
export const EXIT = { ok: 0, difference: 1, usage: 2 } as const

export type CommandContext = {
  settings: Settings
  /** Warnings and errors, on stderr. */
  logger: Logger
  /** Writes a line to stdout. */
  print(line: string): void
}

/** One command of `npm run meterbridge -- <name> …`. */
export type Command = {
  name: string
  /** One line, for the list of commands. */
  summary: string
  /** Printed for `--help` and behind a wrong use: how to call it, and each option. */
  usage: string
  /**
   * @param args what stands behind the name; read with node:util's parseArgs, whose errors are told with `usage`.
   * @throws StartError with a sentence when it cannot be done at all.
   */
  run(args: string[], context: CommandContext): Promise<number>
}

/** @throws StartError when no cluster is named. */
export function requireCluster({ kafka, brokerListen: { host, port } }: Settings) {
  if (kafka.brokers.length > 0) return
  throw new StartError(
    `KAFKA_BROKERS is not set; name the cluster that the bridge reads, as in KAFKA_BROKERS=localhost:9092; beside \`npm start\` on its development broker it is KAFKA_BROKERS=${host}:${port}`,
  )
}

/** A wrong use that parseArgs cannot know of; told with `usage`, as its own errors are. */
export function wrongUse(message: string): Error {
  return Object.assign(new Error(message), { code: 'ERR_PARSE_ARGS_WRONG_USE' })
}
