import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readOpenGaps } from '../bridge/store/index.ts'
import {
  listOutbox,
  type NumberRange,
  type OutboxList,
  resendRanges,
  resendSetAside,
} from '../shop/outbox-commands.ts'
import { type Command, type CommandContext, EXIT, wrongUse } from './command.ts'
import { table } from './table.ts'

const MAX_LISTED = 1_000
const MAX_ERROR_LENGTH = 60
const RANGE = /^([^/]+)\/(\d+)\/(.+):(\d+)-(\d+)$/

const usage = `npm run meterbridge -- outbox list [--json]
    what waits for Kafka, and what Kafka refused and the shop set aside (the oldest ${MAX_LISTED})
npm run meterbridge -- outbox resend <id> … | --all
    sends events that were set aside again
npm run meterbridge -- outbox resend --lost
    sends again what the bridge proved lost, with its own numbers: nothing is counted twice
npm run meterbridge -- outbox resend --range <topic>/<partition>/<source>:<from>-<to> …
    the same for these numbers

Ends with 1 when something asked for is not there any more.`

export const outbox: Command = {
  name: 'outbox',
  summary: 'what the shop has not sent, and sending again',
  usage,
  async run(args, context) {
    const { positionals, values } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        all: { type: 'boolean', default: false },
        lost: { type: 'boolean', default: false },
        range: { type: 'string', multiple: true, default: [] },
      },
    })
    const [action, ...ids] = positionals
    const wanted = [ids.length > 0, values.all, values.lost, values.range.length > 0]
    if (action === 'list' && !wanted.includes(true)) return list(context, values.json)
    if (action !== 'resend' || wanted.filter(Boolean).length !== 1 || values.json) {
      throw wrongUse('say `list`, or `resend` with one of: ids, --all, --lost, --range')
    }
    if (values.lost) return resendLost(context)
    if (values.range.length > 0) {
      context.print(
        'the bridge counts of these what lies in a gap it still has open, and drops the rest as sent twice',
      )
      return resendNumbers(context, values.range.map(parseRange))
    }
    return resendRefused(context, values.all ? 'all' : ids.map(parseId))
  },
}

function list({ settings, print }: CommandContext, json: boolean): number {
  const found = listOutbox(settings.dataDir, MAX_LISTED)
  print(json ? JSON.stringify(found) : describe(found))
  return EXIT.ok
}

function describe({ waiting, kept, setAside, oldestSetAside }: OutboxList): string {
  const waits = waiting.map(({ topic, events, oldestMs }) => [topic, events, isoTime(oldestMs)])
  const refused = oldestSetAside.map(({ id, topic, eventTimeMs, error }) => [
    id,
    topic,
    isoTime(eventTimeMs),
    error.length > MAX_ERROR_LENGTH ? `${error.slice(0, MAX_ERROR_LENGTH)}…` : error,
  ])
  const parts = [
    waits.length > 0 ? table(['waiting in', 'events', 'oldest'], waits) : 'nothing waits',
    refused.length > 0
      ? `${table(['id', 'set aside from', 'happened', "Kafka's reason"], refused)}\n${setAside} set aside`
      : 'nothing is set aside',
    `${kept} sent events are kept and can be sent again by their numbers`,
  ]
  return parts.join('\n\n')
}

function resendRefused({ settings, print }: CommandContext, ids: number[] | 'all'): number {
  const events = resendSetAside(settings.dataDir, ids)
  print(onTheWay(events))
  const missing = ids === 'all' ? 0 : new Set(ids).size - events
  if (missing > 0)
    print(`${missing} of those asked for ${missing === 1 ? 'is' : 'are'} not set aside`)
  return missing > 0 ? EXIT.difference : EXIT.ok
}

function resendLost(context: CommandContext): number {
  const gaps = readOpenGaps(join(context.settings.dataDir, 'bridge'))
  if (gaps.length > 0) return resendNumbers(context, gaps)
  context.print('the bridge has no open gap: no number is proven lost that has not come since')
  return EXIT.ok
}

function resendNumbers({ settings, print }: CommandContext, ranges: NumberRange[]): number {
  const { events, waiting, missing } = resendRanges(settings.dataDir, ranges)
  print(`${onTheWay(events)}; ${waiting} waited already`)
  for (const { topic, partition, source, from, to } of missing) {
    print(`not kept any more, or never given: ${topic}/${partition}/${source}:${from}-${to}`)
  }
  return missing.length > 0 ? EXIT.difference : EXIT.ok
}

function onTheWay(events: number): string {
  return `${events} ${events === 1 ? 'event is' : 'events are'} on the way again`
}

function parseId(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw wrongUse(`an id is a number of \`outbox list\`, got ${JSON.stringify(text)}`)
}

function parseRange(text: string): NumberRange {
  const [, topic = '', partition, source = '', from, to] = RANGE.exec(text) ?? []
  const range = { topic, partition: Number(partition), source, from: Number(from), to: Number(to) }
  if (range.from >= 1 && range.to >= range.from && Number.isSafeInteger(range.to)) return range
  throw wrongUse(
    `a range is <topic>/<partition>/<source>:<from>-<to>, such as new_orders/0/4f6c…:7-9; got ${JSON.stringify(text)}`,
  )
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
