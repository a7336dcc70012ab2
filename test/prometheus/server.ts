import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { temporaryFolder } from '../harness/folder.ts'
import { freePort } from '../harness/ports.ts'
import { until } from '../harness/until.ts'
import { readConfig, readGroups } from './config.ts'

const START_DEADLINE_MS = 20_000
/** Scraped every second, so that a test need not wait; the product's interval is in prometheus.yml. */
const INTERVAL = '1s'
/** What Grafana makes of that interval. */
export const RATE_INTERVAL = '4s'

export type Sample = { labels: Record<string, string>; value: number }
export type RuleState = { name: string; health: string; lastError?: string; state: string }

export type Prometheus = {
  /** The value of each series now. @throws Error with Prometheus's words when it does not take the query. */
  query(expression: string): Promise<Sample[]>
  /** The last value of each series when asked for a range, as Grafana does; times in seconds. */
  queryRange(expression: string, range: { start: number; end: number }): Promise<Sample[]>
  rules(): Promise<RuleState[]>
} & AsyncDisposable

/**
 * Starts Prometheus with the product's configuration and rules, scraping `targets` (`host:port`, by job).
 * It resolves when Prometheus answers; the first scrapes come after.
 */
export async function startPrometheus(targets: Record<string, string>): Promise<Prometheus> {
  const folder = temporaryFolder()
  const config = join(folder.path, 'prometheus.yml')
  writeFileSync(config, stringify(localConfig(targets)))
  writeFileSync(join(folder.path, 'alerts.yml'), stringify(hurriedRules()))
  const url = `127.0.0.1:${await freePort()}`
  const child = spawn(
    'prometheus',
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder.path, 'data')}`,
      `--web.listen-address=${url}`,
      '--log.level=warn',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let output = ''
  child.stderr.on('data', (data) => (output += data))
  const exited = once(child, 'exit')
  const dispose = async () => {
    child.kill('SIGKILL')
    await exited
    folder[Symbol.dispose]()
  }
  const ask = async (path: string, parameters: Record<string, string> = {}) => {
    const response = await fetch(`http://${url}/api/v1/${path}?${new URLSearchParams(parameters)}`)
    const { status, error, data } = (await response.json()) as Answer
    if (status !== 'success') throw new Error(`Prometheus: ${error} (${parameters.query ?? path})`)
    return data
  }
  try {
    await until(
      'Prometheus answers',
      async () => child.exitCode !== null || (await fetch(`http://${url}/-/ready`)).ok,
      START_DEADLINE_MS,
    )
    if (child.exitCode !== null) throw new Error(`Prometheus ended:\n${output}`)
  } catch (error) {
    await dispose()
    throw error
  }
  return {
    query: async (query) =>
      (await ask('query', { query })).result.map(({ metric, value }) => sample(metric, value)),
    async queryRange(query, { start, end }) {
      const step = String(end - start)
      const range = { start: String(start), end: String(end), step }
      const { result } = await ask('query_range', { query, ...range })
      return result.map(({ metric, values }) => sample(metric, values?.at(-1)))
    },
    rules: async () => (await ask('rules')).groups.flatMap(({ rules }) => rules),
    [Symbol.asyncDispose]: dispose,
  }
}

type Answer = {
  status: string
  error?: string
  data: {
    result: {
      metric: Record<string, string>
      value?: [number, string]
      values?: [number, string][]
    }[]
    groups: { rules: RuleState[] }[]
  }
}

function sample(labels: Record<string, string>, value: [number, string] | undefined): Sample {
  return { labels, value: Number(value?.[1]) }
}

/** The product's rules, each group evaluated at the test's interval. */
function hurriedRules() {
  return { groups: readGroups().map(({ name, rules }) => ({ name, rules })) }
}

/** The product's configuration with other addresses, in less time, and with nobody to tell. */
function localConfig(targets: Record<string, string>) {
  const { global, rule_files, scrape_configs } = readConfig()
  return {
    global: {
      ...global,
      scrape_interval: INTERVAL,
      scrape_timeout: INTERVAL,
      evaluation_interval: INTERVAL,
    },
    rule_files,
    scrape_configs: scrape_configs.map(({ static_configs: [first], ...job }) => ({
      ...job,
      static_configs: [{ ...first, targets: [targets[job.job_name]] }],
    })),
  }
}
