import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../runtime/logger.ts'
import type { Connection } from './connection.ts'
import { deliver } from './delivery.ts'
import { type NumberedRow, Numbering } from './numbering.ts'
import { Outage } from './outage.ts'
import type { Outbox } from './outbox.ts'
import { Settlement } from './settle.ts'
import { Topics } from './topics.ts'

export type RelayOptions = {
  outbox: Outbox
  connect(): Promise<Connection>
  /** This incarnation of the shop: 1 to 64 characters, new at every start. */
  source: string
  createTopics: boolean
  logger: Logger
}

/** Under load, a round carries what came in meanwhile, so that fsyncs and requests are shared. */
const GATHER_MS = 5
const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 2_000
/** How soon events are found that a command beside this process put into the outbox. */
const REFRESH_MS = 1_000
const STOP_DEADLINE_MS = 4_000

/**
 * Brings the outbox to Kafka: in order, one send in flight, each event removed only once all replicas have
 * it. While Kafka or a topic is away it waits; nothing else in the shop waits for it.
 */
export class Relay {
  readonly #options: RelayOptions
  readonly #numbering: Numbering
  readonly #settlement: Settlement
  readonly #topics: Topics
  readonly #outage: Outage
  readonly #finished: Promise<void>
  #connection: Connection | undefined
  #retryMs = FIRST_RETRY_MS
  #stopping = false
  #added = false
  #wake: () => void = () => {}

  constructor(options: RelayOptions) {
    this.#options = options
    this.#numbering = new Numbering(options.outbox, options.source)
    this.#settlement = new Settlement(options.outbox)
    this.#topics = new Topics(options.createTopics, options.logger)
    this.#outage = new Outage(options.logger)
    options.outbox.onAdded(() => {
      this.#added = true
      this.#wake()
    })
    this.#finished = this.#run()
  }

  /**
   * Sends what waits, if Kafka takes it, and ends. After a few seconds it leaves the rest: it stays in the
   * outbox, numbered, for the next start.
   */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#wake()
    await Promise.race([this.#finished, delay(STOP_DEADLINE_MS, undefined, { ref: false })])
    void this.#connection?.close()
  }

  async #run() {
    for (;;) {
      try {
        this.#added = false
        const settled = await this.#round()
        this.#retryMs = FIRST_RETRY_MS
        this.#outage.over()
        if (settled > 0) await delay(GATHER_MS)
        else if (this.#stopping) return
        else await this.#untilAdded(this.#topics.checkMs)
      } catch (error) {
        if (this.#stopping) return
        this.#failed(error as Error)
        await this.#untilStopping(this.#retryMs)
        this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
      }
    }
  }

  /**
   * Sends one batch of each topic; the number of events that left the outbox. A partition that takes nothing holds
   * up no other.
   */
  async #round(): Promise<number> {
    this.#options.outbox.refresh()
    this.#connection ??= await this.#outage.watch(this.#options.connect())
    const topics = await this.#outage.watch(this.#topics.read(this.#connection))
    const failures: unknown[] = []
    let settled = 0
    for (const { name, partitions, choose } of topics) {
      const rows = await this.#numbering.next(name, partitions, choose)
      const perPartition = Map.groupBy(rows, (row) => row.partition)
      for (const part of perPartition.values()) {
        try {
          await this.#deliver(part, this.#connection)
          this.#retryMs = FIRST_RETRY_MS
        } catch (error) {
          failures.push(error)
        }
      }
      settled += rows.length
    }
    if (failures.length > 0) throw failures[0]
    return settled
  }

  #deliver(rows: NumberedRow[], connection: Connection): Promise<void> {
    return deliver(rows, {
      now: Date.now,
      send: (part, stampedMs) => this.#outage.watch(connection.send(part, stampedMs)),
      acknowledged: (part) => this.#settlement.acknowledged(part, Date.now()),
      refused: async (row, rest, error) => {
        await this.#settlement.refused(row, rest, error, Date.now())
        const { topic, partition, value } = row
        this.#options.logger.error(
          { topic, partition, value },
          `Kafka refuses an event (${error}); it is set aside: see \`npm run meterbridge -- outbox list\``,
        )
      },
    })
  }

  #failed(error: Error) {
    void this.#connection?.close()
    this.#connection = undefined
    this.#topics.forget()
    this.#outage.failed(error)
  }

  async #untilAdded(deadlineMs = Number.POSITIVE_INFINITY) {
    const end = performance.now() + deadlineMs
    while (!this.#added && !this.#stopping && performance.now() < end) {
      await this.#sleep(Math.min(end - performance.now(), REFRESH_MS))
      this.#options.outbox.refresh()
    }
  }

  /** For a pause that new events do not end. */
  async #untilStopping(milliseconds: number) {
    const end = performance.now() + milliseconds
    while (!this.#stopping && performance.now() < end) {
      await this.#sleep(end - performance.now())
    }
  }

  async #sleep(milliseconds: number) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = setTimeout(resolve, milliseconds)
    await promise
    clearTimeout(timer)
  }
}
