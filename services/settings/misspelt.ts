const MAX_EDITS = 2

/** The one of `known` that was probably meant by `name`: 2 letters at most differ. */
export function nearestName(name: string, known: string[]): string | undefined {
  const near = known.map((candidate) => ({ candidate, edits: editsBetween(name, candidate) }))
  const [nearest] = near.sort((a, b) => a.edits - b.edits)
  return nearest && nearest.edits <= MAX_EDITS ? nearest.candidate : undefined
}

/** Letters to insert, leave out or replace to make one of the other (Levenshtein). */
function editsBetween(one: string, other: string): number {
  let above = Array.from({ length: other.length + 1 }, (_, at) => at)
  for (const [row, letter] of [...one].entries()) {
    const line = [row + 1]
    for (const [column, opposite] of [...other].entries()) {
      const replaced = above[column]! + (letter === opposite ? 0 : 1)
      line.push(Math.min(replaced, above[column + 1]! + 1, line[column]! + 1))
    }
    above = line
  }
  return above[other.length]!
}
