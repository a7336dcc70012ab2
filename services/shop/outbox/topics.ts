import type { Logger } from '../../runtime/logger.ts'
import type { Connection } from './connection.ts'
import { TOPICS } from './events.ts'
import { type ChoosePartition, createPartitioner } from './partitioner.ts'

export type Topic = { name: string; partitions: number; choose: ChoosePartition }

const NAMES: string[] = Object.values(TOPICS)
/** How soon a topic that is made later is found. */
const MISSING_TOPIC_CHECK_MS = 2_000
/** The same for one that was made here. */
const NEW_TOPIC_CHECK_MS = 50
/** How soon an added partition is used. */
const PARTITION_CHECK_MS = 30_000

/** What the relay knows of its topics in Kafka, read again when it may have changed. */
export class Topics {
  readonly #create: boolean
  readonly #logger: Logger
  #known: Topic[] = []
  #readAt = Number.NEGATIVE_INFINITY
  #reported = ''

  /** @param create whether to make the topics that are missing. */
  constructor(create: boolean, logger: Logger) {
    this.#create = create
    this.#logger = logger
  }

  /** When to look again; undefined while nothing is missing. */
  get checkMs(): number | undefined {
    if (this.#known.length === NAMES.length) return undefined
    return this.#create ? NEW_TOPIC_CHECK_MS : MISSING_TOPIC_CHECK_MS
  }

  /** The topics that exist. @throws kafkajs's errors when no broker answers. */
  async read(connection: Connection): Promise<Topic[]> {
    const freshMs = this.checkMs ?? PARTITION_CHECK_MS
    if (performance.now() - this.#readAt < freshMs) return this.#known
    const found = await connection.partitions(NAMES)
    if (this.#create && found.size < NAMES.length) {
      await connection.createTopics(NAMES.filter((name) => !found.has(name)))
    }
    this.#readAt = performance.now()
    this.#known = [...found].map(([name, partitions]) => {
      const before = this.#known.find((topic) => topic.name === name)
      if (before?.partitions === partitions) return before
      return { name, partitions, choose: createPartitioner(name, partitions) }
    })
    if (!this.#create) this.#report(NAMES.filter((name) => !found.has(name)).join(' and '))
    return this.#known
  }

  /** After a failure: what was known may be why. */
  forget() {
    this.#readAt = Number.NEGATIVE_INFINITY
  }

  #report(missing: string) {
    if (missing === this.#reported) return
    this.#reported = missing
    if (missing) {
      const mend = 'create it, or set METERBRIDGE_CREATE_TOPICS=true'
      this.#logger.warn(`Kafka has no topic ${missing}; its events are kept until it has: ${mend}`)
    } else {
      this.#logger.info('Kafka has all topics')
    }
  }
}
