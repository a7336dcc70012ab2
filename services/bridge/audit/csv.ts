/** A row of a file: the start of its minute in ms, and its values by column. */
export type CsvRow = { minuteMs: number; values: Map<string, bigint> }

export type Csv = { columns: string[]; rows: CsvRow[] }

const DATETIME = /^(\d{4}-\d{2}-\d{2}) (\d{2}:\d{2}:00)$/

/**
 * Reads a minute file as anybody would who was told its format: a header, then a line per minute, ascending.
 *
 * @throws Error that names the line which is none.
 */
export function parseCsv(text: string): Csv {
  if (!text.endsWith('\n')) throw new Error('its last line is cut off')
  const [header = '', ...lines] = text.slice(0, -1).split('\n')
  const [datetime, ...columns] = header.split(',')
  if (datetime !== 'datetime') throw new Error(`its header is ${JSON.stringify(header)}`)
  let previousMs = Number.NEGATIVE_INFINITY
  const rows = lines.map((line, i) => {
    const row = parseRow(line, columns)
    if (!row) throw new Error(`line ${i + 2} is ${JSON.stringify(line)}`)
    if (row.minuteMs <= previousMs) throw new Error(`line ${i + 2} is not in order`)
    previousMs = row.minuteMs
    return row
  })
  return { columns, rows }
}

function parseRow(line: string, columns: string[]): CsvRow | undefined {
  const [datetime = '', ...cells] = line.split(',')
  const match = DATETIME.exec(datetime)
  const minuteMs = Date.parse(`${match?.[1]}T${match?.[2]}Z`)
  if (Number.isNaN(minuteMs) || cells.length !== columns.length) return undefined
  if (cells.some((cell) => !/^\d+$/.test(cell))) return undefined
  return { minuteMs, values: new Map(columns.map((name, i) => [name, BigInt(cells[i] ?? 0)])) }
}
