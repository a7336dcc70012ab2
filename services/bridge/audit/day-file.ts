import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Csv, parseCsv } from './csv.ts'
import type { StoreDay } from './day.ts'
import type { Difference } from './report.ts'

/** Minutes of one file that are told; a file may be wrong everywhere. */
const MAX_MINUTES = 20

/** What a day's files say, and in what they differ from the store's day. */
export type ReadFile = { csv: Csv; differences: Omit<Difference, 'mend'>[] }

type Different = ReadFile['differences'][number]

/** @param columns of the stream, in file order. */
export function compareFile(
  lake: string,
  stream: string,
  date: string,
  day: StoreDay,
  columns: readonly string[],
): ReadFile {
  const path = join('csv', stream, `dt=${date}`, `${stream}.csv`)
  const differ = (where: string, expected: string, found: string): Different => {
    return { check: 'files', where: where ? `${path}, ${where}` : path, expected, found }
  }
  const nothing: Csv = { columns: [], rows: [] }
  const bytes = readBytes(join(lake, path))
  if (!bytes) {
    if (day.rows.size === 0) return { csv: nothing, differences: [] }
    return { csv: nothing, differences: [differ('', `${day.rows.size} rows`, 'no file')] }
  }
  let csv: Csv
  try {
    csv = parseCsv(bytes.toString())
  } catch (error) {
    const found = `no minute file: ${(error as Error).message}`
    return { csv: nothing, differences: [differ('', `${day.rows.size} rows`, found)] }
  }
  const rows = compareRows(csv, day, columns).slice(0, MAX_MINUTES)
  const differences = rows.map(([where, expected, found]) => differ(where, expected, found))
  return { csv, differences: [...differences, ...compareManifest(lake, stream, date, path, bytes)] }
}

/** A column that a file lacks, because it was written before the column was added, stands for zeros. */
function compareRows(csv: Csv, day: StoreDay, columns: readonly string[]) {
  const found: [where: string, expected: string, found: string][] = []
  const header = csv.columns.filter((name) => columns.includes(name))
  const wanted = columns.filter((name) => header.includes(name))
  if (header.join() !== wanted.join()) found.push(['header', wanted.join(), header.join()])
  const say = (values: Map<string, bigint>) => columns.map((name) => values.get(name) ?? 0n).join()
  const rows = new Map(csv.rows.map(({ minuteMs, values }) => [minuteMs, say(values)]))
  for (const [minuteMs, values] of [...day.rows].sort(([a], [b]) => a - b)) {
    const row = rows.get(minuteMs)
    rows.delete(minuteMs)
    if (row !== say(values)) found.push([datetime(minuteMs), say(values), row ?? 'no row'])
  }
  for (const [minuteMs, row] of rows) found.push([datetime(minuteMs), 'no row', row])
  return found
}

function compareManifest(
  lake: string,
  stream: string,
  date: string,
  csvPath: string,
  csv: Buffer,
): Different[] {
  const path = join('manifests', stream, `dt=${date}`, 'manifest.json')
  const differ = (where: string, expected: string, found: string): Different => {
    return { check: 'manifests', where, expected, found }
  }
  const bytes = readBytes(join(lake, path))
  if (!bytes) return [differ(path, `the SHA-256 of ${csvPath}`, 'no file')]
  const listed = filesOf(bytes)
  if (!listed?.some((file) => file.path === csvPath)) {
    return [differ(path, `a manifest that lists ${csvPath}`, bytes.toString().slice(0, 100))]
  }
  return listed.flatMap((file) => {
    const content = file.path === csvPath ? csv : readBytes(join(lake, file.path))
    const sha256 = content && createHash('sha256').update(content).digest('hex')
    if (sha256 === file.sha256) return []
    return [differ(file.path, `SHA-256 ${file.sha256}, as ${path} says`, sha256 ?? 'no file')]
  })
}

function filesOf(manifest: Buffer): { path: string; sha256: string }[] | undefined {
  try {
    const { files } = JSON.parse(manifest.toString())
    return Array.isArray(files) ? files : undefined
  } catch {
    return undefined
  }
}

function readBytes(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** `YYYY-MM-DD HH:MM:SS`, UTC. */
function datetime(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ')
}
