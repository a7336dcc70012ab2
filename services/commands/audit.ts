import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type AuditReport, audit, deepAudit, type Recounted } from '../bridge/audit/index.ts'
import { openSqliteStore } from '../bridge/store/index.ts'
import { lockFolder } from '../runtime/lock.ts'
import type { Address } from '../settings/settings.ts'
import { readShop, TOPICS } from '../shop/figures.ts'
import { type Command, EXIT, requireCluster } from './command.ts'
import { table } from './table.ts'

const ANSWER_MS = 5_000

type Report = AuditReport & { recounted?: Recounted[] }

export const auditCommand: Command = {
  name: 'audit',
  summary: 'shows what became of every record, and that counters, minutes and files agree',
  usage: `npm run meterbridge -- audit [--shop] [--deep] [--json] [--mend-files]

Compares the store with itself and with the minute files, whether the bridge runs or not, and changes nothing.
Ends with 1 when anything differs.

  --shop  compares with the shop's database, too: each of its numbers was counted once (what a bridge that does not
          run, or is behind, has yet to count is pending)
  --deep  reads the topics again by other means, counts, and compares (needs KAFKA_BROKERS)
  --json  everything, for programs
  --mend-files
          with the bridge stopped: marks the days whose files differ from the store, and the bridge writes them
          anew when it starts`,
  run: async (args, { settings, print }) => {
    const options = {
      shop: { type: 'boolean', default: false },
      deep: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      'mend-files': { type: 'boolean', default: false },
    } as const
    const { values } = parseArgs({ args, options })
    const shop = {
      read: () => ({ ...readShop(settings.dataDir), ordersTopic: TOPICS.orders }),
      isBehind: async () => !(await isCaughtUp(settings.listen)),
    }
    if (values.deep) requireCluster(settings)
    const report: Report = await audit(settings.dataDir, values.shop ? shop : undefined)
    if (values.deep) {
      const { recounted, differences, notes } = await deepAudit(settings)
      report.recounted = recounted
      report.differences.push(...differences)
      report.notes.push(...notes)
    }
    print(values.json ? toJson(report) : toText(report))
    if (values['mend-files']) await mendFiles(join(settings.dataDir, 'bridge'), report)
    return report.differences.length === 0 ? EXIT.ok : EXIT.difference
  },
}

/** Whether a bridge runs and says that all that Kafka has is counted. */
async function isCaughtUp({ host, port }: Address): Promise<boolean> {
  const url = `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}/metrics`
  const signal = AbortSignal.timeout(ANSWER_MS)
  const page = await fetch(url, { signal }).then(
    (response) => response.text(),
    () => '',
  )
  const streams = [...page.matchAll(/^meterbridge_caught_up\{[^}]*\} (\d)$/gm)]
  return streams.length > 0 && streams.every(([, value]) => value === '1')
}

/** The store is changed only by who holds its lock. */
async function mendFiles(folder: string, { differences }: Report) {
  const days = Map.groupBy(
    differences.flatMap(({ mend }) => mend ?? []),
    ({ stream, dayMs }) => `${stream} ${dayMs}`,
  )
  if (days.size === 0) return
  const lock = lockFolder(folder, 'bridge')
  const store = openSqliteStore(folder)
  for (const [day] of days.values()) await store.pend(day!.stream, day!.dayMs)
  await store.end()
  lock.release()
}

/** Sums beyond 2^53 as text: a JSON number of that size is read inexactly. */
function toJson(report: Report): string {
  const exact = (_: string, value: unknown) => {
    if (typeof value !== 'bigint') return value
    return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  }
  return JSON.stringify(report, exact, 2)
}

function toText({ partitions, columns, recounted, differences, notes }: Report): string {
  const parts = [partitionTable(partitions), columnTable(columns)]
  if (recounted) parts.push(recountedTable(recounted))
  if (notes.length > 0) parts.push(notes.map(({ where, note }) => `${where}: ${note}`).join('\n'))
  for (const { check, where, expected, found, mend } of differences) {
    const lines = [
      `DIFFERENCE (${check}) ${where}`,
      `  expected ${expected}`,
      `  found    ${found}`,
    ]
    if (mend)
      lines.push(
        '  mend     with the bridge stopped, `audit --mend-files`; it is written anew at the next start',
      )
    parts.push(lines.join('\n'))
  }
  parts.push(verdict(differences.length, notes))
  return parts.join('\n\n')
}

function verdict(differences: number, notes: Report['notes']): string {
  if (differences > 0)
    return `${differences} ${differences === 1 ? 'thing differs' : 'things differ'}.`
  const isWhole = notes.every(({ note }) => !note.startsWith('not checkable'))
  return isWhole ? 'Everything agrees.' : 'Nothing differs, but not all of it could be checked.'
}

function partitionTable(partitions: AuditReport['partitions']): string {
  const counts = ['accepted', 'rejected', 'duplicate', 'undelivered', 'skipped'] as const
  const besides = ['redriven', 'lost', 'recovered'] as const
  const rows = partitions.map((one) => [
    `${one.topic}/${one.partition}${one.incarnation > 1 ? ` (${one.incarnation})` : ''}`,
    one.position - one.start,
    ...[...counts, ...besides].map((name) => one[name]),
  ])
  return table(['partition', 'read', ...counts, ...besides], rows)
}

function columnTable(columns: AuditReport['columns']): string {
  const rows = columns.map((one) => [
    `${one.stream} ${one.column}`,
    one.total,
    one.baseline,
    one.minutes,
    one.files,
    one.pending,
  ])
  return table(['column', 'total', 'baseline', 'minutes', 'in files', 'pending'], rows)
}

function recountedTable(recounted: Recounted[]): string {
  const counts = ['accepted', 'rejected', 'duplicate', 'redriven', 'validNow'] as const
  const rows = recounted.map((one) => [
    `${one.topic}/${one.partition}`,
    one.since,
    one.from,
    one.to,
    ...counts.map((name) => one[name]),
  ])
  const header = ['counted again', 'since', 'from', 'to', ...counts.slice(0, -1), 'valid now']
  return table(header, rows)
}
