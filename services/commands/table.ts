/** Rows as aligned columns for people: text to the left, numbers to the right. */
export function table(header: string[], rows: (string | number | bigint)[][]): string {
  const lines = [header, ...rows.map((row) => row.map(String))]
  const widths = header.map((_, i) => Math.max(...lines.map((line) => [...line[i]!].length)))
  const isNumeric = header.map((_, i) => rows.every((row) => typeof row[i] !== 'string'))
  return lines
    .map((line) =>
      line
        .map((cell, i) => (isNumeric[i] ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
