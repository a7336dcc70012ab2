import { availableParallelism, loadavg } from 'node:os'
import { FAULTS } from './plan.ts'
import type { Result } from './torture.ts'

/** What people read at the end. */
export function summaryOf(result: Result): string {
  const { recoveries, services } = result
  const late = recoveries.filter((recovery) => recovery.late).length
  const lines = [
    `${recoveries.length} rounds, ${late} of them late`,
    `${result.orders} orders, ${result.pageViews} page views, ${result.unanswered} requests without an answer, ${result.failed} that could not be stored`,
    `${result.records} records in Kafka, ${result.duplicates} of them sent twice and counted once, ${result.restamped} restamped, ${result.setAside} set aside`,
    `${result.pages} pages scraped`,
    ...Object.entries(services).map(
      ([name, { exits, lines }]) =>
        `the ${name} printed ${lines} lines and ended by itself ${exits.length} times ${codes(exits)}`,
    ),
    `load average of the last 15 minutes: ${loadavg()[2]?.toFixed(1)} on ${availableParallelism()} cores`,
    '',
    `${'fault'.padEnd(20)}${heads('alone')}${heads('in company')}`,
  ]
  for (const name of FAULTS) {
    const rounds = recoveries.filter(({ faults }) => faults.includes(name))
    if (rounds.length === 0) continue
    const alone = rounds.filter(({ faults }) => faults.length === 1)
    const inCompany = rounds.filter(({ faults }) => faults.length > 1)
    lines.push(`${name.padEnd(20)}${figures(alone)}${figures(inCompany)}`)
  }
  return lines.join('\n')
}

const heads = (what: string) => `  ${what.padStart(10)}    median     worst`

function figures(rounds: { ms: number }[]): string {
  const sorted = rounds.map(({ ms }) => ms).sort((a, b) => a - b)
  const seconds = (ms: number | undefined) =>
    (ms === undefined ? '' : `${(ms / 1_000).toFixed(1)} s`).padStart(10)
  const median = sorted[Math.floor((sorted.length - 1) / 2)]
  return `  ${String(sorted.length).padStart(10)}${seconds(median)}${seconds(sorted.at(-1))}`
}

function codes(exits: (number | null)[]): string {
  const counts = Map.groupBy(exits, (code) => code)
  const each = [...counts].map(([code, list]) => `${list.length} × ${code ?? 'signal'}`)
  return each.length > 0 ? `(exit codes ${each.join(', ')})` : ''
}
