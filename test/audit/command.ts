import type { AuditReport, Recounted } from '../../services/bridge/audit/index.ts'
import { startService } from '../harness/service.ts'

/** What `npm run meterbridge -- audit … --json` ends with and prints. */
export async function runAudit(
  dataDir: string,
  args: string[] = [],
  environment: Record<string, string> = {},
) {
  await using command = startService(
    'services/commands/main.ts',
    { METERBRIDGE_DATA_DIR: dataDir, ...environment },
    ['audit', '--json', ...args],
  )
  const code = await command.exited
  const output = command.output()
  const start = output.indexOf('{\n')
  const report = start < 0 ? undefined : JSON.parse(output.slice(start))
  return { code, output, report: report as AuditReport & { recounted?: Recounted[] } }
}
