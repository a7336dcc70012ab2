import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type From, type Report, readLogs, rebuild } from '../bridge/rebuild/index.ts'
import { openCluster, openLogReader } from '../bridge/source/index.ts'
import { streams } from '../bridge/streams/index.ts'
import { checkReachable, createKafka } from '../kafka/client.ts'
import { lockFolder } from '../runtime/lock.ts'
import { StartError } from '../runtime/start-error.ts'
import { type Command, type CommandContext, EXIT, requireCluster, wrongUse } from './command.ts'
import { table } from './table.ts'

const FROM = /^(start|\d{4}-\d{2}-\d{2})$/
const PROGRESS_MS = 3_000
/** For questions that are asked again and again: each fails soon rather than waiting. */
const ASKING = { retries: 3, initialRetryTime: 200, maxRetryTime: 1_000 }

const usage = `npm run meterbridge -- rebuild [--from <YYYY-MM-DD>|start] [--accept-loss] [--json]
    counts the log anew beside the store and shows what differs; the bridge may run, and nothing of the old is touched
npm run meterbridge -- rebuild --swap [--from …] [--accept-loss] [--json]
    the same with the bridge stopped (a rebuild that is there already is taken up, unless --from is given), and puts
    the result in place; the old store is kept as bridge.db.before-<time>

  --from <day>   begin with the checkpoint of that day, not with the newest that will do
  --from start   begin with the log's first record; the definitions of now hold for all of it
  --accept-loss  go on though Kafka no longer has some of what was counted
  --json         for programs

Counters that become lower are named: Prometheus sees a reset there.
Ends with 1 when something differs and was not put in place.`

export const rebuildCommand: Command = {
  name: 'rebuild',
  summary: 'counts everything anew from Kafka, and puts that in place when told',
  usage,
  async run(args, context) {
    const { values } = parseArgs({
      args,
      options: {
        from: { type: 'string' },
        'accept-loss': { type: 'boolean', default: false },
        swap: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    })
    const { from = 'newest', swap, json, 'accept-loss': acceptLoss } = values
    if (values.from !== undefined && !FROM.test(values.from)) {
      throw wrongUse('--from is `start` or a day as in 2026-05-01')
    }
    const { settings, print } = context
    requireCluster(settings)
    requireData(settings.dataDir)
    const lock = swap ? lockFolder(join(settings.dataDir, 'bridge'), 'bridge') : undefined
    try {
      const shown = (report: Report) => json || print(describe(report))
      const report = await run({ from, swap, acceptLoss }, context, shown)
      if (json) print(JSON.stringify(report, (_, value) => plain(value)))
      else print(ending(report))
      return swap || !differs(report) ? EXIT.ok : EXIT.difference
    } finally {
      lock?.release()
    }
  },
}

/** In a folder that never was a bridge's, the mistake is the folder. */
function requireData(dataDir: string) {
  if (existsSync(join(dataDir, 'bridge')) || existsSync(join(dataDir, 'lake'))) return
  throw new StartError(
    `${dataDir} holds no data of a bridge; set METERBRIDGE_DATA_DIR to the folder that does, or start the bridge to begin one`,
  )
}

type Asked = { from: From; swap: boolean; acceptLoss: boolean }

async function run(
  asked: Asked,
  { settings, logger }: CommandContext,
  onCompared: (report: Report) => void,
): Promise<Report> {
  await checkReachable(settings.kafka, 'meterbridge', logger)
  const kafka = createKafka(settings.kafka, 'meterbridge', logger, ASKING)
  const cluster = await openCluster(kafka)
  const reader = openLogReader(kafka)
  try {
    const topics = streams.map(({ topic }) => topic)
    return await rebuild({
      ...asked,
      folder: join(settings.dataDir, 'bridge'),
      lake: join(settings.dataDir, 'lake'),
      streams,
      logs: await readLogs(cluster, topics),
      reader,
      now: Date.now,
      onProgress: progress(),
      onCompared,
    })
  } finally {
    await Promise.all([reader.disconnect(), cluster.disconnect()])
  }
}

/** A line on the terminal every few seconds. */
function progress() {
  let toldMs = Date.now()
  return (topic: string, partition: number, position: number, to: number) => {
    if (!process.stderr.isTTY || Date.now() - toldMs < PROGRESS_MS) return
    toldMs = Date.now()
    process.stderr.write(`${topic}/${partition}: counted up to ${position} of ${to}\n`)
  }
}

function differs({ compared }: Report): boolean {
  return !compared || compared.differences.length + compared.minutes > 0
}

const BEGUN = {
  start: "Counted from the log's start.",
  finished: 'Went on from where the rebuild before had ended.',
}

function describe({ begun, checkpoint, losses, compared, illegible }: Report): string {
  const lines = [
    begun === 'checkpoint' ? `Counted from the checkpoint ${checkpoint}.` : BEGUN[begun],
  ]
  for (const { topic, partition, from, to } of losses) {
    lines.push(`Left out, gone from Kafka: ${topic}/${partition} offsets ${from} to ${to - 1}.`)
  }
  if (!compared) {
    lines.push(
      `The old store is not legible (${illegible}): nothing to compare with, and counters may be lower than before.`,
    )
    return lines.join('\n')
  }
  const { differences, minutes, first } = compared
  if (!differs({ compared } as Report)) lines.push('It equals the old store, number by number.')
  if (differences.length > 0) {
    const rows = differences.map(({ name, before, after }) => [name, before ?? 0n, after ?? 0n])
    lines.push('', table(['differs', 'before', 'rebuilt'], rows))
  }
  if (minutes > 0) {
    const rows = first.map(({ stream, minuteMs, column, before, after }) => [
      `${stream} ${minuteMs === null ? 'sealed days' : new Date(minuteMs).toISOString()} ${column}`,
      before,
      after,
    ])
    lines.push('', table([`minutes that differ (${minutes})`, 'before', 'rebuilt'], rows))
  }
  const lowered = differences.filter(({ before, after }) => (after ?? 0n) < (before ?? 0n))
  if (lowered.length > 0) {
    lines.push(
      '',
      `${lowered.length} of them would be LOWER than before: to Prometheus that is a reset of the counter, and increase() over that moment is wrong.`,
    )
  }
  return lines.join('\n')
}

function ending({ swapped }: Report): string {
  if (swapped === undefined) {
    return '\nNothing was changed. To put it in place: stop the bridge and run this with --swap.'
  }
  const kept = swapped === null ? '' : ` The old store is kept as ${swapped}.`
  return `\nIt is in place; start the bridge.${kept}`
}

function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}
