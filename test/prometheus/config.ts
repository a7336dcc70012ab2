import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parse } from 'yaml'

/** The folder of Prometheus's and Alertmanager's configuration. */
export const PROMETHEUS = resolve(import.meta.dirname, '../../prometheus')

export type Rule = {
  alert: string
  expr: string
  for: string
  labels: Record<string, string>
  annotations: Record<string, string>
}

export type Config = {
  global: { scrape_interval: string; evaluation_interval: string }
  rule_files: string[]
  scrape_configs: {
    job_name: string
    static_configs: { targets: string[]; labels: Record<string, string> }[]
  }[]
}

export function readConfig(): Config {
  return parse(readFileSync(join(PROMETHEUS, 'prometheus.yml'), 'utf8')) as Config
}

export function readGroups(): { name: string; interval?: string; rules: Rule[] }[] {
  return parse(readFileSync(join(PROMETHEUS, 'alerts.yml'), 'utf8')).groups
}

/** All alert rules, with the evaluation interval (as written) of the group that each is in. */
export function readRules(): (Rule & { interval: string })[] {
  const { evaluation_interval } = readConfig().global
  return readGroups().flatMap(({ interval, rules }) =>
    rules.map((rule) => ({ ...rule, interval: interval ?? evaluation_interval })),
  )
}

/** Seconds of a duration in whole seconds or minutes, such as `30s` or `5m`. */
export function seconds(duration: string): number {
  const match = /^(\d+)([sm])$/.exec(duration)
  if (!match) throw new Error(`no duration in seconds or minutes: ${duration}`)
  return Number(match[1]) * (match[2] === 'm' ? 60 : 1)
}
