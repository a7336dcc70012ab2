import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { REASONS } from '../bridge/codec/index.ts'
import { askToRedrive, describeLetter, type Outcome } from '../bridge/redrive/index.ts'
import { type LetterFilter, openLetters } from '../bridge/store/index.ts'
import { StartError } from '../runtime/start-error.ts'
import { type Command, type CommandContext, EXIT, wrongUse } from './command.ts'
import { lettersText, letterText, outcomesText } from './dead-letters-text.ts'
import { parseTime } from './time.ts'

const USUAL_LIMIT = 50
const MAX_LIMIT = 10_000

const usage = `npm run meterbridge -- dead-letters list [which] [--limit N] [--json]
    the newest ${USUAL_LIMIT}, or N up to ${MAX_LIMIT}, with running bridge or without
npm run meterbridge -- dead-letters show <id> [--json]
    all that is known of one
npm run meterbridge -- dead-letters redrive <id> … | [which] | --all [--json]
    has the running bridge read them again, and count what is valid now, once
which, by record:
    --topic T   --reason ${REASONS.join('|')}
    --since TIME   --until TIME   2026-05-01T12:00 (UTC), or how long ago: 90s, 30m, 2h, 7d

Ends with 1 when there is no such dead letter, or one that was to be redriven stays.`

export const deadLetters: Command = {
  name: 'dead-letters',
  summary: 'records that could not be counted, and trying them again',
  usage,
  async run(args, context) {
    const { positionals, values } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        topic: { type: 'string' },
        reason: { type: 'string' },
        since: { type: 'string' },
        until: { type: 'string' },
        limit: { type: 'string' },
        all: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    })
    const [action, ...ids] = positionals
    const { limit, all, json, ...which } = values
    const filter = parseFilter(which)
    const isFiltered = Object.keys(which).length > 0
    if (action === 'list' && ids.length === 0 && !all) {
      return list(context, filter, parseLimit(limit), json)
    }
    const isPlain = !isFiltered && !all
    if (action === 'show' && ids.length === 1 && isPlain && limit === undefined) {
      return show(context, parseId(ids[0]!), json)
    }
    const ways = [ids.length > 0, isFiltered, all].filter(Boolean)
    if (action !== 'redrive' || ways.length !== 1 || limit !== undefined) {
      throw wrongUse('say `list`, `show <id>`, or `redrive` with one of: ids, which, --all')
    }
    return redrive(context, ids.length > 0 ? ids.map(parseId) : filter, json)
  },
}

function open({ settings }: CommandContext) {
  return openLetters(folderOf(settings))
}

function folderOf({ dataDir }: CommandContext['settings']): string {
  return join(dataDir, 'bridge')
}

function list(context: CommandContext, filter: LetterFilter, limit: number, json: boolean): number {
  using store = open(context)
  const letters = store.list(filter, limit).map(describeLetter)
  const totals = { ...store.totals(filter), evicted: store.evicted(filter.topic) }
  context.print(json ? JSON.stringify({ letters, totals }) : lettersText(letters, totals))
  return EXIT.ok
}

function show(context: CommandContext, id: number, json: boolean): number {
  using store = open(context)
  const found = store.read(id)
  if (found === undefined) throw new StartError(`there is no dead letter ${id}`)
  if (found === 'evicted') {
    throw new StartError(`dead letter ${id} was dropped to keep the store bounded`)
  }
  const letter = describeLetter(found)
  context.print(json ? JSON.stringify(letter) : letterText(letter))
  return EXIT.ok
}

async function redrive(context: CommandContext, asked: number[] | LetterFilter, json: boolean) {
  const { settings, print } = context
  const ids = Array.isArray(asked) ? [...new Set(asked)] : waiting(context, asked)
  const outcomes: Outcome[] = []
  const bridge = { listen: settings.listen, folder: folderOf(settings) }
  for await (const some of askToRedrive(bridge, ids)) outcomes.push(...some)
  print(json ? JSON.stringify({ letters: outcomes }) : outcomesText(outcomes))
  return outcomes.some(({ result }) => result === 'stays') ? EXIT.difference : EXIT.ok
}

function waiting(context: CommandContext, filter: LetterFilter): number[] {
  using store = open(context)
  return store.waiting(filter)
}

type Which = { topic?: string; reason?: string; since?: string; until?: string }

function parseFilter({ topic, reason, since, until }: Which): LetterFilter {
  if (reason !== undefined && !(REASONS as readonly string[]).includes(reason)) {
    throw wrongUse(`--reason is one of ${REASONS.join(', ')}; got ${JSON.stringify(reason)}`)
  }
  const nowMs = Date.now()
  return {
    topic,
    reason,
    sinceMs: since === undefined ? undefined : parseTime('--since', since, nowMs),
    untilMs: until === undefined ? undefined : parseTime('--until', until, nowMs),
  }
}

function parseLimit(text: string | undefined): number {
  if (text === undefined) return USUAL_LIMIT
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0
  if (limit >= 1 && limit <= MAX_LIMIT) return limit
  throw wrongUse(`--limit is a number from 1 to ${MAX_LIMIT}; got ${JSON.stringify(text)}`)
}

function parseId(text: string): number {
  const id = /^\d{1,15}$/.test(text) ? Number(text) : 0
  if (id >= 1) return id
  throw wrongUse(`an id is a number of \`dead-letters list\`; got ${JSON.stringify(text)}`)
}
