import { join } from 'node:path'
import type { Settings } from '../settings/settings.ts'
import { reachedAt } from './ready.ts'

/** Where to look, for a person: one line each. `broker` is the development broker's address, if it is ours. */
export function greeting(settings: Settings, broker: string | undefined): string {
  const shop = `http://${reachedAt(settings.shopListen)}`
  const bridge = `http://${reachedAt(settings.listen)}`
  const kafka = broker
    ? `${broker}, the development broker: to try things on this machine, not for production (KAFKA_BROKERS names your own cluster)`
    : settings.kafka.brokers.join(',')
  const lines = [
    ['shop', `${shop}/`],
    ['metrics', `${bridge}/metrics and ${shop}/metrics`],
    ['files', join(settings.dataDir, 'lake')],
    ['data', settings.dataDir],
    ['Kafka', kafka],
  ]
  const rows = lines.map(([name = '', where]) => `  ${name.padEnd(8)} ${where}`)
  return `meterbridge is running.\n${rows.join('\n')}\nCtrl-C ends it. The services' log lines follow.\n\n`
}
