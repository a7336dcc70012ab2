import { setTimeout as delay } from 'node:timers/promises'
import { EXIT } from '../../runtime/exit-codes.ts'
import type { Logger } from '../../runtime/logger.ts'
import { StartError } from '../../runtime/start-error.ts'
import type { Cluster, Source, TopicBounds } from '../source/index.ts'
import type { Intake } from './intake.ts'
import { Complaints, Outage } from './outage.ts'
import { type Problem, problemsOf } from './problems.ts'
import type { Progress } from './progress.ts'
import { type Readiness, readiness } from './readiness.ts'
import { PATIENCE_MS, Watchdog } from './watchdog.ts'

const PERIOD_MS = 1_000
/** Topics are looked for this often: a new one is found within 10 s with the time it takes to join. */
const TOPICS_PERIOD_MS = 4_000
/** A pause that took this much longer: this process was stopped, or the clock stepped. Neither is Kafka's fault. */
const ASLEEP_MS = 5_000

export type WatchOptions = {
  cluster: Pick<Cluster, 'bounds' | 'topics' | 'renew'>
  source: Pick<Source, 'read'>
  intake: Pick<Intake, 'look' | 'unwritable' | 'unassignedSinceMs'>
  /** Of each wanted topic, by its name. */
  progress: Map<string, Progress>
  /** Topics that are read. */
  reading: string[]
  now(): number
  logger: Logger
  /** Ends the process. */
  fail(error: Error): void
  patienceMs?: number
}

/** Looks once a second at where the topics end, whether topics have come or gone, and whether counting goes on. */
export class Watch {
  readonly #options: WatchOptions
  readonly #kafka: Outage
  readonly #watchdog: Watchdog
  readonly #startedMs: number
  readonly #complaints: Complaints
  #reading: string[]
  #connected = true
  #followedMs: number
  /** The watchdog counts from here: before, the store or this process was what stood still. */
  #blamelessMs = 0

  constructor(options: WatchOptions) {
    this.#options = options
    this.#reading = options.reading
    this.#startedMs = options.now()
    this.#followedMs = this.#startedMs
    this.#watchdog = new Watchdog(options.patienceMs ?? PATIENCE_MS)
    this.#complaints = new Complaints(options.logger, 'cannot read where the topic ends')
    this.#kafka = new Outage(options.logger, {
      began: 'Kafka does not answer; counting waits until it does',
      over: 'Kafka answers again',
    })
  }

  readiness(): Readiness {
    return readiness(this.#observed(), this.#options.now())
  }

  /** Until `signal` aborts. */
  async run(signal: AbortSignal) {
    const { now } = this.#options
    while (!signal.aborted) {
      await this.round(signal)
      const sleptMs = now()
      await delay(PERIOD_MS, undefined, { signal }).catch(() => {})
      if (now() - sleptMs > PERIOD_MS + ASLEEP_MS) this.#blamelessMs = now()
    }
  }

  /** One look at everything. */
  async round(signal: AbortSignal) {
    await this.#lookAtEnds(signal)
    if (signal.aborted) return
    // A clock may be set back.
    if (Math.abs(this.#options.now() - this.#followedMs) > TOPICS_PERIOD_MS) {
      this.#followedMs = this.#options.now()
      await this.#attempt(() => this.#follow())
    }
    if (!signal.aborted) await this.#guard()
  }

  async #lookAtEnds(signal: AbortSignal) {
    const { cluster, intake, progress, now } = this.#options
    const askedMs = now()
    const asked = this.#reading.map(async (topic) => ({
      topic,
      bounds: await cluster.bounds(topic),
    }))
    const answers = await Promise.allSettled(asked)
    if (signal.aborted) return
    this.#hear(answers, askedMs)
    for (const answer of answers) {
      if (answer.status === 'rejected') continue
      const { topic, bounds } = answer.value
      progress.get(topic)!.ends(bounds.partitions, askedMs)
      await intake.look(topic, bounds)
    }
  }

  /** Says what is new of who answers and who does not. */
  #hear(answers: PromiseSettledResult<{ topic: string; bounds: TopicBounds }>[], askedMs: number) {
    const silent = answers.flatMap((answer, i) =>
      answer.status === 'rejected'
        ? [{ topic: this.#reading[i]!, error: answer.reason as Error }]
        : [],
    )
    if (silent[0] && silent.length === answers.length) {
      return this.#kafka.failed(silent[0].error, askedMs)
    }
    if (answers.length > 0) this.#kafka.worked(this.#options.now())
    for (const topic of this.#reading) {
      const failed = silent.find((one) => one.topic === topic)
      if (failed) this.#complaints.tell(topic, failed.error)
      else this.#complaints.over(topic)
    }
  }

  /** Goes over to the wanted topics that exist, when they are others than before. */
  async #follow() {
    const { cluster, progress, logger } = this.#options
    const existing = await cluster.topics()
    const found = [...progress.keys()].filter((topic) => existing.has(topic))
    if (found.join() !== this.#reading.join()) {
      logger.warn({ before: this.#reading, now: found }, 'topics have come or gone')
      for (const [topic, of] of progress) if (!found.includes(topic)) of.forget()
      this.#reading = found
      this.#connected = false
    }
    if (!this.#connected) await this.#connect()
  }

  async #connect() {
    this.#connected = false
    await this.#options.cluster.renew()
    await this.#options.source.read(this.#reading)
    this.#connected = true
  }

  /** What fails now is tried again soon; that Kafka does not answer is said elsewhere. */
  async #attempt(step: () => Promise<void>) {
    await step().catch((error: Error) =>
      this.#options.logger.debug({ err: error }, 'could not connect to Kafka anew'),
    )
  }

  async #guard() {
    const { intake, now, logger, fail } = this.#options
    if (intake.unwritable) this.#blamelessMs = now()
    const oldest = problemsOf(this.#observed())
      .filter(({ connection }) => connection)
      .sort((a, b) => a.sinceMs - b.sinceMs)[0] as Problem | undefined
    const sinceMs = oldest && Math.max(oldest.sinceMs, this.#blamelessMs)
    const verdict = this.#watchdog.judge(sinceMs, now())
    if (verdict === 'reconnect') {
      logger.warn(`${oldest?.why}; connecting to Kafka anew`)
      await this.#attempt(() => this.#connect())
    } else if (verdict === 'exit') {
      const sentence = `${oldest?.why}, and connecting anew did not help; start again`
      fail(new StartError(sentence, EXIT.stalled))
    }
  }

  #observed() {
    const { intake, progress } = this.#options
    const [reading, kafka, startedMs] = [this.#reading, this.#kafka, this.#startedMs]
    return { intake, progress, reading, kafka, startedMs }
  }
}
