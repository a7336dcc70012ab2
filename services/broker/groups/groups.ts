import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Group } from './group.ts'

const MAX_GROUPS = 1_000

type Committed = { offset: number; metadata: string | null }
/** By topic and partition. */
export type Offsets = Record<string, Record<number, Committed>>

/** The consumer groups by id. Their offsets are on disk, a file per group; their members join anew. */
export class Groups {
  readonly #folder: string
  readonly #groups = new Map<string, Group>()

  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true })
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
      const { id, offsets } = JSON.parse(readFileSync(join(folder, file), 'utf8'))
      this.#groups.set(id, new Group(offsets))
    }
  }

  find = (id: string) => this.#groups.get(id)

  /** Undefined for an empty id, or when there are too many groups. */
  findOrCreate(id: string): Group | undefined {
    const found = this.#groups.get(id)
    if (found || id === '' || this.#groups.size >= MAX_GROUPS) return found
    const group = new Group({})
    this.#groups.set(id, group)
    return group
  }

  /** Writes a group's offsets whole beside the former ones and puts them in their place. */
  save(id: string, { offsets }: Group) {
    // A group id may hold any character, a file name may not.
    const path = join(this.#folder, `${createHash('sha256').update(id).digest('hex')}.json`)
    writeFileSync(`${path}.new`, JSON.stringify({ id, offsets }))
    renameSync(`${path}.new`, path)
  }
}
