import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { writeWhole } from '../rollup/index.ts'
import type { Copied, Summary } from '../store/index.ts'

/** One line of `chain.jsonl`: a checkpoint, and by its hash all lines before it. The line outlives the file. */
export type Checkpoint = Summary & {
  /** `YYYY-MM-DD`, UTC. */
  day: string
  /** In the same folder: a whole copy of the store. */
  file: string
  sha256: string
  bytes: number
  /** SHA-256 of the line before; empty in the first. */
  before: string
}

const CHAIN = 'chain.jsonl'

/**
 * The checkpoints of a folder, oldest first, as far as the chain holds: from a line on that does not name the hash of
 * the one before it, nothing counts.
 */
export function readChain(folder: string) {
  const file = join(folder, CHAIN)
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const checkpoints: Checkpoint[] = []
  const lines = text.split('\n').slice(0, -1)
  let head = ''
  for (const [i, line] of lines.entries()) {
    const checkpoint = parse(line)
    if (checkpoint?.before !== head)
      return { checkpoints, head, lines: lines.slice(0, i), broken: true }
    checkpoints.push(checkpoint)
    head = hashOf(line)
  }
  return { checkpoints, head, lines, broken: false }
}

/** Adds a line, durably. Of a broken chain, what holds goes on; the whole is kept beside it. */
export async function appendCheckpoint(folder: string, day: string, file: string, copied: Copied) {
  const path = join(folder, CHAIN)
  const { head, lines, broken } = readChain(folder)
  if (broken) await copyFile(path, `${path}.broken-${Date.now()}`)
  const { summary, ...rest } = copied
  const checkpoint: Checkpoint = { day, file, ...rest, ...summary, before: head }
  await writeWhole(path, `${[...lines, JSON.stringify(checkpoint)].join('\n')}\n`)
}

/** Whether the file is there and is what its line says. */
export async function isIntact(folder: string, { file, sha256 }: Checkpoint): Promise<boolean> {
  const path = join(folder, file)
  if (!existsSync(path)) return false
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex') === sha256
}

function parse(line: string): Checkpoint | undefined {
  try {
    return JSON.parse(line) as Checkpoint
  } catch {
    return undefined
  }
}

function hashOf(line: string): string {
  return createHash('sha256').update(line).digest('hex')
}
