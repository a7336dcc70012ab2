import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { dateOf, rowsOf, toCsv } from '../rollup/index.ts'
import { DAY_MS, dayOf, type RebuiltStore, type Store, type StreamState } from '../store/index.ts'
import type { StreamDefinition } from '../streams/index.ts'

type PublishedDay = {
  csv: string
  header: string
  /** Each row's text, by the start of its minute (ms). */
  rows: Map<number, string>
  revision: number
  /** The manifest names this very file. */
  isWhole: boolean
}

/**
 * Makes a rebuilt store go on from what is published of a stream: days whose files are right keep their revision, and
 * those that are not wait to be written with a higher one. Rows behind a file's last are new, not changed.
 *
 * @param old the store before, where it is legible.
 */
export async function matchPublished(
  rebuilt: RebuiltStore,
  { name, columns }: StreamDefinition,
  lake: string,
  old: Store | undefined,
) {
  const { store } = rebuilt
  const files = join(lake, 'csv', name)
  const published = existsSync(files) ? readdirSync(files) : []
  const dated = published.filter((entry) => entry.startsWith('dt=')).sort()
  const days = dated.map((entry) => Date.parse(entry.slice('dt='.length)))
  const newest = days.length > 0 ? readDay(lake, name, days.at(-1)!) : undefined
  const state = (await store.snapshot()).streams.find(({ stream }) => stream === name)!
  const closedMinuteMs = Math.max(state.closedMinuteMs, ...(newest?.rows.keys() ?? []))
  rebuilt.setStream(name, { ...state, closedMinuteMs })
  for (const dayMs of daysToMatch({ ...state, closedMinuteMs }, days, rebuilt.days(name))) {
    await matchDay(rebuilt, name, columns, dayMs, readDay(lake, name, dayMs), old)
  }
}

function daysToMatch(state: StreamState, published: number[], counted: number[]): number[] {
  const { firstMinuteMs, closedMinuteMs, sealedBeforeMs } = state
  const all = new Set([...published, ...counted])
  for (let dayMs = dayOf(firstMinuteMs); dayMs <= closedMinuteMs; dayMs += DAY_MS) all.add(dayMs)
  return [...all]
    .filter((dayMs) => dayMs >= sealedBeforeMs && dayMs <= closedMinuteMs)
    .sort((a, b) => a - b)
}

async function matchDay(
  rebuilt: RebuiltStore,
  stream: string,
  columns: StreamDefinition['columns'],
  dayMs: number,
  published: PublishedDay | undefined,
  old: Store | undefined,
) {
  const names = columns.map(({ name }) => name)
  const day = await rebuilt.store.day(stream, dayMs)
  const rows = rowsOf(day, names)
  if (rows.length === 0 && !published) return
  const csv = toCsv(rows, names)
  const before = published?.revision ?? (await old?.day(stream, dayMs))?.revision ?? 1
  const revision = Math.max(day.revision, before)
  const anyMinuteMs = rows[0]?.minuteMs ?? dayMs
  const changed = published ? changedMinutes(published, parse(csv)) : []
  if (published && changed.length === 0 && !(published.isWhole && hasHeaderOf(published, csv))) {
    changed.push(anyMinuteMs)
  }
  if (changed.length > 0) return rebuilt.revise(stream, changed, revision)
  if (revision > day.revision) rebuilt.setRevision(stream, anyMinuteMs, revision)
  if (published?.csv !== csv) rebuilt.markPending(stream, dayMs)
}

/** Minutes up to the last published one whose rows are others now. */
function changedMinutes({ rows }: PublishedDay, now: Map<number, string>): number[] {
  const lastMs = Math.max(-1, ...rows.keys())
  const all = new Set([...rows.keys(), ...now.keys()])
  return [...all].filter(
    (minuteMs) => minuteMs <= lastMs && rows.get(minuteMs) !== now.get(minuteMs),
  )
}

function hasHeaderOf({ header }: PublishedDay, csv: string): boolean {
  return csv.startsWith(`${header}\n`)
}

function readDay(lake: string, stream: string, dayMs: number): PublishedDay | undefined {
  const date = `dt=${dateOf(dayMs)}`
  const file = join(lake, 'csv', stream, date, `${stream}.csv`)
  if (!existsSync(file)) return undefined
  const csv = readFileSync(file, 'utf8')
  const manifest = readManifest(join(lake, 'manifests', stream, date, 'manifest.json'))
  const sha256 = createHash('sha256').update(csv).digest('hex')
  return {
    csv,
    header: csv.slice(0, csv.indexOf('\n')),
    rows: parse(csv),
    revision: manifest?.revision ?? 1,
    isWhole: manifest?.files.some((listed) => listed.sha256 === sha256) ?? false,
  }
}

type Manifest = { revision: number; files: { sha256: string }[] }

function readManifest(file: string): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Manifest
  } catch {
    return undefined
  }
}

function parse(csv: string): Map<number, string> {
  const rows = csv.split('\n').slice(1, -1)
  return new Map(rows.map((row) => [Date.parse(`${row.slice(0, 19).replace(' ', 'T')}Z`), row]))
}
