import { mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { startService } from '../harness/service.ts'
import type { Differences } from './differences.ts'
import type { Supervisee } from './pair.ts'

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
  const environment = { KAFKA_BROKERS: brokers, METERBRIDGE_DATA_DIR: dataDir }
  const args = ['audit', '--shop', '--deep', '--json']
  const audit = startService('services/commands/main.ts', environment, args)
  const code = await audit.exited
  if (code !== 0) differences.add('audit --shop --deep', `exit code ${code}: ${audit.output()}`)
}
