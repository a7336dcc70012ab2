import type { Logger } from '../../runtime/logger.ts'
import type { RecordBatch } from '../codec/index.ts'
import { afterRedrive, type Redrive, type Stays } from '../fold/index.ts'
import type { Intake } from '../intake/index.ts'
import type { Cluster, LogReader } from '../source/index.ts'
import type { RedriveResult, Store, StoredLetter } from '../store/index.ts'

/** Dead letters of one call: each may take a fetch, and the answer comes when all are done. */
export const MAX_LETTERS = 200

/** What became of a dead letter that was asked for. */
export type Outcome = { id: number } & (
  | { result: 'redriven'; records: number; duplicates: number }
  | { result: 'already'; redrivenMs: number }
  | { result: 'stays'; why: string }
)

/** Counts what is valid now of these dead letters, one after the other, each once. */
export type Redriving = (ids: readonly number[]) => Promise<Outcome[]>

export type RedriveOptions = {
  store: Store
  cluster: Cluster
  reader: LogReader
  intake: Intake
  now(): number
  logger: Logger
}

/** The batch that holds a letter's record, of one incarnation of its topic. */
type Found = Pick<StoredLetter, 'topic' | 'partition' | 'incarnation'> & {
  batch: RecordBatch
}

const NEVER_WAS = 'there is no dead letter of this id'
const EVICTED =
  'it was dropped to keep the store bounded, and its coordinates are not known any more'
const MADE_ANEW = 'its topic was deleted and made anew, or lost its end, since: the record is gone'
const NOT_READ = 'this bridge does not read its partition now; try again'
const NOT_COUNTED: Record<Exclude<RedriveResult, 'redriven'>, string> = {
  already: 'it was redriven by somebody else meanwhile',
  gone: EVICTED,
  stale: 'its partition was moved elsewhere meanwhile; try again',
}

export function createRedrive(options: RedriveOptions): Redriving {
  return async (ids) => {
    const work = new Work(options)
    const outcomes: Outcome[] = []
    let failure: string | undefined
    for (const id of ids) {
      try {
        if (failure === undefined) outcomes.push(await work.attempt(id))
      } catch (error) {
        failure = `it could not be tried (${(error as Error).message}); try again`
      }
      // What Kafka or the store cannot do now, they cannot do for the others: no waiting for each.
      if (failure !== undefined) outcomes.push({ id, result: 'stays', why: failure })
    }
    return outcomes
  }
}

/** One call: consecutive letters are often of one batch, which is read once. */
class Work {
  readonly #options: RedriveOptions
  #last: Found | undefined

  constructor(options: RedriveOptions) {
    this.#options = options
  }

  async attempt(id: number): Promise<Outcome> {
    const { store } = this.#options
    const letter = await store.letter(id)
    if (letter === undefined) return { id, result: 'stays', why: NEVER_WAS }
    if (letter === 'evicted') return { id, result: 'stays', why: EVICTED }
    if (letter.redrivenMs !== null) {
      return { id, result: 'already', redrivenMs: letter.redrivenMs }
    }
    const found = await this.#find(letter)
    const outcome = 'stays' in found ? stays(letter, found.stays) : await this.#judge(letter, found)
    if (outcome.result === 'stays') await store.keepLetter(id, outcome.why)
    return outcome
  }

  async #find(letter: StoredLetter): Promise<Found | Stays> {
    if (this.#last && holds(this.#last, letter)) return this.#last
    const { store, reader, cluster } = this.#options
    const { topic, partition, incarnation, offset } = letter
    const state = await store.partition(topic, partition)
    if (state?.incarnation !== incarnation) return { stays: MADE_ANEW }
    const batch = await reader.batchAt(letter, offset)
    // Asked behind the reading: an id never comes back, so it was this one before too.
    const { topicId, partitions } = await cluster.bounds(topic)
    if (topicId && state.topicId && topicId !== state.topicId) return { stays: MADE_ANEW }
    if (batch) {
      this.#last = { topic, partition, incarnation, batch }
      return this.#last
    }
    const low = partitions.find((bounds) => bounds.partition === partition)?.low ?? 0
    const why = low > offset ? `the log begins at ${low} now` : 'compacted, or never committed'
    return { stays: `Kafka does not hold the record any more (${why})` }
  }

  /** In turn with the intake, so that no batch is folded between judging and counting. */
  async #judge(letter: StoredLetter, { batch }: Found): Promise<Outcome> {
    const { intake, now, logger } = this.#options
    const { id, topic, partition, offset } = letter
    let outcome = stays(letter, NOT_READ)
    await intake.change(letter, async (state, fold) => {
      if (state.incarnation !== letter.incarnation) {
        outcome = stays(letter, MADE_ANEW)
        return state
      }
      const judged = fold.redrive(letter, batch, state, now())
      outcome = 'stays' in judged ? stays(letter, judged.stays) : await this.#count(letter, judged)
      return 'stays' in judged || outcome.result !== 'redriven'
        ? state
        : afterRedrive(state, judged)
    })
    if (outcome.result === 'redriven') {
      const { records, duplicates } = outcome
      logger.info({ id, records, duplicates }, `${topic}/${partition}@${offset}: redriven`)
    }
    return outcome
  }

  async #count(letter: StoredLetter, judged: Redrive): Promise<Outcome> {
    const { store, now } = this.#options
    const { records, duplicates } = judged
    const result = await store.redrive(letter.id, judged, now())
    if (result !== 'redriven') return stays(letter, NOT_COUNTED[result])
    return { id: letter.id, result, records, duplicates }
  }
}

function stays({ id }: StoredLetter, why: string): Outcome {
  return { id, result: 'stays', why }
}

function holds({ batch, ...found }: Found, letter: StoredLetter): boolean {
  const { topic, partition, incarnation, offset } = letter
  const isOf =
    found.topic === topic && found.partition === partition && found.incarnation === incarnation
  return isOf && batch.baseOffset <= offset && offset <= batch.lastOffset
}
