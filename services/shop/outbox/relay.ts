import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '../../runtime/logger.ts'
import type { Connection } from './connection.ts'
import { deliver } from './delivery.ts'
import { type NumberedRow, Numbering } from './numbering.ts'
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
/** A leader that moves fails one attempt and is no news. */
const FAILURES_TOLD = 2
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
  readonly #finished: Promise<void>
  #connection: Connection | undefined
  #failures = 0
  #retryMs = FIRST_RETRY_MS
  #stopping = false
  #added = false
  #wake: () => void = () => {}

  constructor(options: RelayOptions) {
    this.#options = options
    this.#numbering = new Numbering(options.outbox, options.source)
    this.#settlement = new Settlement(options.outbox)
    this.#topics = new Topics(options.createTopics, options.logger)
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
        this.#recovered()
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

  /** Sends one batch of each topic; the number of events that left the outbox. */
  async #round(): Promise<number> {
    this.#connection ??= await this.#options.connect()
    let settled = 0
    for (const { name, partitions, choose } of await this.#topics.read(this.#connection)) {
      const rows = await this.#numbering.next(name, partitions, choose)
      const perPartition = Map.groupBy(rows, (row) => row.partition)
      for (const part of perPartition.values()) await this.#deliver(part, this.#connection)
      settled += rows.length
    }
    return settled
  }

  #deliver(rows: NumberedRow[], connection: Connection): Promise<void> {
    return deliver(rows, {
      now: Date.now,
      send: connection.send,
      acknowledged: (part) => this.#settlement.acknowledged(part, Date.now()),
      refused: async (row, rest, error) => {
        await this.#settlement.refused(row, rest, error, Date.now())
        const { topic, partition, value } = row
        this.#options.logger.error(
          { topic, partition, value },
          `Kafka refuses an event (${error}); it is set aside in the table outbox_set_aside`,
        )
      },
    })
  }

  #failed(error: Error) {
    void this.#connection?.close()
    this.#connection = undefined
    this.#topics.forget()
    this.#failures += 1
    if (this.#failures !== FAILURES_TOLD) return
    this.#options.logger.warn(
      `events cannot be sent to Kafka (${error.message}); orders are taken, and events kept until they can`,
    )
  }

  #recovered() {
    this.#retryMs = FIRST_RETRY_MS
    if (this.#failures >= FAILURES_TOLD) this.#options.logger.info('events are sent to Kafka again')
    this.#failures = 0
  }

  async #untilAdded(deadlineMs: number | undefined) {
    if (this.#added) return
    await this.#sleep(deadlineMs)
  }

  /** For a pause that new events do not end. */
  async #untilStopping(milliseconds: number) {
    const end = performance.now() + milliseconds
    while (!this.#stopping && performance.now() < end) {
      await this.#sleep(end - performance.now())
    }
  }

  async #sleep(milliseconds: number | undefined) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    const timer = milliseconds === undefined ? undefined : setTimeout(resolve, milliseconds)
    await promise
    clearTimeout(timer)
  }
}
