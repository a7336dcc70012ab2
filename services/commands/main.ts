// First: it must come before kafkajs does.
import '../bridge/source/raw-batches.ts'
import { createLogger } from '../runtime/logger.ts'
import { StartError } from '../runtime/start-error.ts'
import { loadDotEnv, readSettings } from '../settings/settings.ts'
import { auditCommand } from './audit.ts'
import { type Command, EXIT } from './command.ts'
import { deadLetters } from './dead-letters.ts'
import { outbox } from './outbox.ts'
import { rebuildCommand } from './rebuild.ts'
import { table } from './table.ts'

const COMMANDS: Command[] = [auditCommand, deadLetters, outbox, rebuildCommand]

// Who reads a part of it, such as `head`, has what was wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})
process.exitCode = await main(process.argv.slice(2))

async function main([name, ...args]: string[]): Promise<number> {
  const command = COMMANDS.find((candidate) => candidate.name === name)
  if (!command) {
    const asked = name === undefined || name === '--help' || name === 'help'
    if (!asked) process.stderr.write(`meterbridge: there is no command ${name}\n\n`)
    ;(asked ? process.stdout : process.stderr).write(`${overview()}\n`)
    return asked ? EXIT.ok : EXIT.usage
  }
  if (args.includes('--help')) {
    process.stdout.write(`${command.usage}\n`)
    return EXIT.ok
  }
  try {
    loadDotEnv()
    const settings = readSettings(process.env)
    const logger = createLogger(command.name, settings.logLevel)
    return await command.run(args, { settings, logger, print })
  } catch (error) {
    return tell(command, error as Error)
  }
}

function print(line: string) {
  process.stdout.write(`${line}\n`)
}

function overview(): string {
  const rows = COMMANDS.map(({ name, summary }) => [`  ${name}`, summary])
  return [
    'npm run meterbridge -- <command> [options]',
    '',
    table(['  command', ''], rows),
    '',
    '`npm run meterbridge -- <command> --help` tells the options.',
  ].join('\n')
}

function tell({ name, usage }: Command, error: NodeJS.ErrnoException): number {
  const isUsage = error.code?.startsWith('ERR_PARSE_ARGS') ?? false
  if (error.syscall && error.path) {
    const mend = 'see that this user may read and write there, and that the disk has room'
    process.stderr.write(`meterbridge ${name}: ${error.message}; ${mend}\n`)
    return EXIT.difference
  }
  if (!isUsage && !(error instanceof StartError)) throw error
  process.stderr.write(`meterbridge ${name}: ${error.message}\n`)
  if (isUsage) process.stderr.write(`\n${usage}\n`)
  return isUsage ? EXIT.usage : EXIT.difference
}
