import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { StartError } from '../../../runtime/start-error.ts'
import { openReadOnly } from '../../store/read-only.ts'
import type { Note } from '../report.ts'
import { beforeAll, type Figures, readFigures } from './figures.ts'

/** What to count from, and whether the totals of then are known: those of earlier incarnations are in them. */
export type Base = { since: string; figures: Figures; totalsKnown: boolean }

/**
 * Finds where the recount of a partition can begin: at its start where Kafka still has that, else at the oldest
 * checkpoint (a daily copy of the store) whose position it still has.
 */
export function createBases(dataDir: string, notes: Note[]) {
  const files = globSync(join(dataDir, 'bridge', 'checkpoints', '*.db')).sort()
  const read = new Map<string, Figures[]>()

  function figuresOf(file: string): Figures[] {
    const known = read.get(file)
    if (known) return known
    let figures: Figures[] = []
    try {
      const store = openReadOnly(file)
      figures = readFigures(store)
      store.close()
    } catch (error) {
      if (!(error instanceof StartError)) throw error
      notes.push({ where: `checkpoint ${basename(file)}`, note: `not used: ${error.message}` })
    }
    read.set(file, figures)
    return figures
  }

  return (now: Figures, low: number): Base | undefined => {
    const fromStart = { since: 'the start', figures: beforeAll(now) }
    if (now.incarnation === 1 && low <= now.start) return { ...fromStart, totalsKnown: true }
    for (const file of files) {
      const figures = figuresOf(file).find((one) => isSame(one, now))
      if (!figures || figures.position < low || figures.position > now.position) continue
      return { since: `checkpoint ${basename(file, '.db')}`, figures, totalsKnown: true }
    }
    return low <= now.start ? { ...fromStart, totalsKnown: false } : undefined
  }
}

function isSame(one: Figures, other: Figures): boolean {
  return (
    one.topic === other.topic &&
    one.partition === other.partition &&
    one.incarnation === other.incarnation
  )
}
