import { startService } from '../harness/service.ts'

/** What `npm run meterbridge -- dead-letters …` ends with and prints. */
export async function deadLetters(
  { dataDir, address }: { dataDir: string; address: string },
  ...args: string[]
) {
  await using command = startService(
    'services/commands/main.ts',
    { METERBRIDGE_DATA_DIR: dataDir, METERBRIDGE_LISTEN: address },
    ['dead-letters', ...args],
  )
  const code = await command.exited
  return { code, output: command.output().trimEnd() }
}
