/** What one part of the benchmark brings: rows for a person, figures for results.json. */
export type Part = {
  title: string
  header: string[]
  rows: string[][]
  figures: Record<string, unknown>
}

/** A table with the first column to the left and figures to the right. */
export function table({ title, header, rows }: Part): string {
  const widths = header.map((_, column) =>
    Math.max(...[header, ...rows].map((row) => (row[column] ?? '').length)),
  )
  const line = (row: string[]) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
  const rule = widths.map((width) => '-'.repeat(width)).join('  ')
  return `\n${title}\n${[line(header), rule, ...rows.map(line)].join('\n')}\n`
}

/** 1234567.8 → `1,234,568` */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
