import { EventEmitter } from 'node:events'
import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../runtime/logger.ts'
import { ERROR } from '../wire/errors.ts'
import { PartitionLog } from './partition-log.ts'

const LEGAL_NAME = /^(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}$/
/** No legal name of a topic: a folder so called was not finished. */
const UNFINISHED = '~new'
/** Of all topics together; each holds files open. */
const MAX_PARTITIONS = 1_000

/** The topics and their logs: a folder per topic, in it one per partition. Emits `append` after every append. */
export class Topics extends EventEmitter {
  readonly #folder: string
  readonly #logger: Logger
  readonly #topics = new Map<string, PartitionLog[]>()

  constructor(folder: string, logger: Logger) {
    super()
    this.setMaxListeners(0) // every waiting fetch is one
    this.#folder = folder
    this.#logger = logger
    mkdirSync(folder, { recursive: true })
    for (const name of readdirSync(folder)) if (LEGAL_NAME.test(name)) this.#open(name)
  }

  names = () => [...this.#topics.keys()]
  get = (name: string) => this.#topics.get(name) ?? []

  /** Error code for a topic that is to be created. */
  check(name: string, partitionCount: number): number {
    if (!LEGAL_NAME.test(name)) return ERROR.invalidTopic
    if (this.#topics.has(name)) return ERROR.topicAlreadyExists
    const left = MAX_PARTITIONS - [...this.#topics.values()].flat().length
    return partitionCount < 1 || partitionCount > left ? ERROR.invalidPartitions : ERROR.none
  }

  /** Creates a topic that passed `check`; it is there whole or not at all. */
  create(name: string, partitionCount: number) {
    const unfinished = join(this.#folder, UNFINISHED)
    rmSync(unfinished, { recursive: true, force: true })
    for (let index = 0; index < partitionCount; index++) {
      mkdirSync(join(unfinished, String(index)), { recursive: true })
    }
    renameSync(unfinished, join(this.#folder, name))
    this.#open(name)
  }

  #open(name: string) {
    const folder = join(this.#folder, name)
    const { length } = readdirSync(folder).filter((entry) => /^\d+$/.test(entry))
    const open = (_: unknown, at: number) => new PartitionLog(join(folder, `${at}`), this.#logger)
    this.#topics.set(name, Array.from({ length }, open))
  }
}
