import { mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runAudit } from '../audit/command.ts'
import type { Differences } from './differences.ts'
import type { Supervisee } from './pair.ts'

const AUDIT = 'audit --shop --deep'
/** What is no difference, and no proof either. */
const UNPROVEN = /^(not checkable|pending: (number|none))/

/** `meterbridge audit` with all it can check, on what the shop and the bridge have left. */
export async function compareAudit(
  brokers: string,
  { shop, bridge }: { shop: Supervisee; bridge: Supervisee },
  differences: Differences,
) {
  const dataDir = join(dirname(bridge.dataDir), 'audited')
  mkdirSync(dataDir)
  symlinkSync(join(shop.dataDir, 'shop'), join(dataDir, 'shop'))
  for (const name of ['bridge', 'lake']) {
    symlinkSync(join(bridge.dataDir, name), join(dataDir, name))
  }
  const environment = {
    KAFKA_BROKERS: brokers,
    METERBRIDGE_LISTEN: bridge.url.slice('http://'.length),
  }
  const { code, output, report } = await runAudit(dataDir, ['--shop', '--deep'], environment)
  if (code !== 0) return differences.add(AUDIT, `exit code ${code}: ${output}`)
  for (const { where, note } of report.notes) {
    if (UNPROVEN.test(note)) differences.add(AUDIT, `${where}: ${note}`)
  }
}
