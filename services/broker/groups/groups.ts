import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { Group } from './group.ts'

const MAX_GROUPS = 1_000

/** By topic and partition. */
export type Offsets = Record<string, Record<number, { offset: number; metadata: string | null }>>

/** The consumer groups by id. Their offsets are in a file; their members join anew after a restart. */
export class Groups {
  readonly #file: string
  readonly #groups = new Map<string, Group>()

  constructor(file: string) {
    this.#file = file
    const stored = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
    for (const id of Object.keys(stored)) this.#groups.set(id, new Group(stored[id]))
  }

  find = (id: string) => this.#groups.get(id)

  /** Undefined for an empty id, or when there are too many groups. */
  findOrCreate(id: string): Group | undefined {
    const isRoom = this.#groups.size < MAX_GROUPS && !this.#groups.has(id)
    if (isRoom && id !== '') this.#groups.set(id, new Group({}))
    return this.#groups.get(id)
  }

  /** Writes all offsets beside the former ones, then puts them in their place. */
  save() {
    const offsets = [...this.#groups].map(([id, group]) => [id, group.offsets])
    writeFileSync(`${this.#file}.new`, JSON.stringify(Object.fromEntries(offsets)))
    renameSync(`${this.#file}.new`, this.#file)
  }
}
