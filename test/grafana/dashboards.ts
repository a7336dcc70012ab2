import { globSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import type { Dashboard, Panel } from '@grafana/schema'

export const GRAFANA = resolve(import.meta.dirname, '../../grafana')

export type NamedDashboard = Dashboard & { file: string }

/** The dashboards as Grafana loads them. */
export function readDashboards(): NamedDashboard[] {
  return globSync(join(GRAFANA, 'dashboards/*.json')).map((file) => ({
    ...(JSON.parse(readFileSync(file, 'utf8')) as Dashboard),
    file: basename(file),
  }))
}

/** Its panels, without the rows that head them. */
export function panelsOf(dashboard: Dashboard): Panel[] {
  return (dashboard.panels ?? []).filter((panel): panel is Panel => panel.type !== 'row')
}

/** The PromQL of a panel, as it is written there. */
export function queriesOf(panel: Panel): string[] {
  return (panel.targets ?? []).map(({ expr }) => String(expr))
}

/** The expression as Grafana sends it when all jobs and instances are chosen. */
export function resolveVariables(expression: string, rateInterval = '20s'): string {
  const resolved = expression
    .replaceAll('$__rate_interval', rateInterval)
    .replace(/\$(job|instance)\b/g, '.+')
  const unknown = /\$\w+/.exec(resolved)
  if (unknown) throw new Error(`a variable that is not known: ${unknown[0]} in ${expression}`)
  return resolved
}
