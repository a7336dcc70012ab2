import type { Bytes, DescribedLetter, Outcome } from '../bridge/redrive/index.ts'
import type { LetterTotals } from '../bridge/store/index.ts'
import { table } from './table.ts'

const MAX_CELL_LENGTH = 60
const NAME_WIDTH = 13
/** Letters of one outcome that are told one by one. */
const MAX_TOLD = 50
/** What would move a terminal's cursor, or worse: a record may hold anything. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g

/** Dead letters as a table, with the totals of all that were asked for. */
export function lettersText(
  letters: DescribedLetter[],
  { letters: count, waiting, evicted }: LetterTotals & { evicted: number },
): string {
  const rows = letters.map((letter) => [
    letter.id,
    placeOf(letter),
    letter.reason,
    cell(letter.detail),
    letter.timestamp ?? 'unknown',
    letter.valueBytes,
    cell(stateOf(letter)),
  ])
  const header = ['id', 'record', 'reason', 'detail', 'time', 'bytes', 'state']
  const totals = `${count} dead letters, ${waiting} not redriven; ${rows.length} shown`
  const parts = rows.length > 0 ? [table(header, rows), totals] : [totals]
  if (evicted > 0) parts.push(`${evicted} older ones were dropped to keep the store bounded`)
  return parts.join('\n\n')
}

/** All of one dead letter, a line for each thing that is known. */
export function letterText(letter: DescribedLetter): string {
  const rows = [
    ['dead letter', letter.id],
    ['record', placeOf(letter)],
    ['incarnation', letter.incarnation],
    ['stands for', `${letter.records} ${letter.records === 1 ? 'record' : 'records'}`],
    ['reason', letter.reason],
    ['detail', visible(letter.detail)],
    ['time', letter.timestamp ?? 'unknown'],
    ['state', visible(stateOf(letter))],
    ['SHA-256', letter.hash],
    ['key', bytesText(letter.key)],
    ['value', `${letter.valueBytes} bytes${letter.isCut ? ', of which the first are kept' : ''}`],
  ]
  const lines = rows.map(([name, value]) => `${String(name).padEnd(NAME_WIDTH)}${value}`)
  return [...lines, bytesText(letter.value)].join('\n')
}

/** What became of the dead letters that were to be redriven. */
export function outcomesText(outcomes: Outcome[]): string {
  if (outcomes.length === 0) return 'no dead letter of these waits'
  const {
    redriven = [],
    already = [],
    stays = [],
  } = Object.groupBy(outcomes, (o) => o.result) as {
    [result in Outcome['result']]?: Extract<Outcome, { result: result }>[]
  }
  const records = redriven.reduce((sum, one) => sum + one.records, 0)
  const duplicates = redriven.reduce((sum, one) => sum + one.duplicates, 0)
  const lines = [`${redriven.length} redriven: ${records} records counted`]
  if (duplicates > 0)
    lines.push(`${duplicates} records of these were counted before, by their numbers`)
  if (already.length > 0) {
    lines.push(`${already.length} redriven before:`)
    lines.push(...told(already, ({ redrivenMs }) => new Date(redrivenMs).toISOString()))
  }
  if (stays.length > 0) lines.push(`${stays.length} stay:`, ...told(stays, ({ why }) => why))
  return lines.join('\n')
}

function told<T extends Outcome>(outcomes: T[], text: (outcome: T) => string): string[] {
  const lines = outcomes.slice(0, MAX_TOLD).map((one) => `  ${one.id}: ${visible(text(one))}`)
  return outcomes.length > MAX_TOLD
    ? [...lines, `  and ${outcomes.length - MAX_TOLD} more; --json tells all`]
    : lines
}

function placeOf({ topic, partition, offset }: DescribedLetter): string {
  return `${topic}/${partition}@${offset}`
}

function stateOf({ redriven, redriveError }: DescribedLetter): string {
  if (redriven !== null) return `redriven ${redriven}`
  return redriveError === null ? 'waiting' : `stays: ${redriveError}`
}

function bytesText(bytes: Bytes): string {
  if (bytes === null) return 'null'
  return 'text' in bytes ? visible(bytes.text) : `hex ${bytes.hex}`
}

function cell(text: string): string {
  const shown = visible(text)
  return shown.length > MAX_CELL_LENGTH ? `${shown.slice(0, MAX_CELL_LENGTH)}…` : shown
}

function visible(text: string): string {
  return text.replace(
    CONTROLS,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
