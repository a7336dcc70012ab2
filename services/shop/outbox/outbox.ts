import { asc, count, sql } from 'drizzle-orm'
import type { ShopDatabase } from '../database/open.ts'
import { outbox, outboxSetAside } from '../database/schema.ts'
import type { Durability, Writer } from '../database/writer.ts'
import type { Event } from './events.ts'

/**
 * Events on their way to Kafka: written together with what they tell of, moved to outbox_sent once Kafka has them.
 * The number of rows is kept in memory, because counting a long outbox at every scrape would hold up the shop.
 */
export class Outbox {
  readonly database: ShopDatabase
  readonly #writer: Writer
  readonly #insert
  readonly #oldest
  readonly #listeners: (() => void)[] = []
  #records = 0
  #setAside = 0
  #version: unknown

  constructor(database: ShopDatabase, writer: Writer) {
    this.database = database
    this.#writer = writer
    this.#insert = database
      .insert(outbox)
      .values({
        topic: sql.placeholder('topic'),
        key: sql.placeholder('key'),
        value: sql.placeholder('value'),
        eventTime: sql.placeholder('eventTime'),
      })
      .prepare()
    this.#oldest = database
      .select({ eventTime: outbox.eventTime })
      .from(outbox)
      .orderBy(asc(outbox.id))
      .limit(1)
      .prepare()
    this.refresh()
  }

  /** Events that wait for Kafka's acknowledgement. */
  get records() {
    return this.#records
  }

  /** Events that Kafka refused for good. */
  get setAsideRecords() {
    return this.#setAside
  }

  /** When the oldest waiting event happened, in milliseconds since 1970; undefined when none waits. */
  oldestEventTime(): number | undefined {
    return this.#oldest.get()?.eventTime
  }

  onAdded(listener: () => void) {
    this.#listeners.push(listener)
  }

  /** Counts anew, and wakes whoever waits for events, if another process has changed the database. */
  refresh() {
    const version = this.database.$client.pragma('data_version', { simple: true })
    if (version === this.#version) return
    this.#version = version
    this.#records = this.database.select({ rows: count() }).from(outbox).get()?.rows ?? 0
    this.#setAside = this.database.select({ rows: count() }).from(outboxSetAside).get()?.rows ?? 0
    for (const listener of this.#listeners) listener()
  }

  /** Runs `job` and stores the events it returns, in one transaction with whatever else it changes. */
  async record<T>(job: () => { result: T; events: Event[] }, durability: Durability): Promise<T> {
    const { result, events } = await this.#writer.write(() => {
      const done = job()
      for (const event of done.events) this.#insert.run(event)
      return done
    }, durability)
    this.#records += events.length
    for (const listener of this.#listeners) listener()
    return result
  }

  /** Runs `job`, which changes waiting events and leaves their number as it is. */
  write<T>(job: () => T, durability: Durability): Promise<T> {
    return this.#writer.write(job, durability)
  }

  /** Runs `job`, which takes `removed` events out, and sets `setAside` of them aside. */
  async remove(job: () => { removed: number; setAside: number }, durability: Durability) {
    const { removed, setAside } = await this.#writer.write(job, durability)
    this.#records -= removed
    this.#setAside += setAside
  }
}
