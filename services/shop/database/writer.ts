import type { ShopDatabase } from './open.ts'

/** More waiting writes than this, and the next one is refused. */
const MAX_WAITING = 10_000

/** `synced`: on the disk before the promise resolves. `written`: survives kill -9, but a power cut may take it. */
export type Durability = 'synced' | 'written'

type Waiting = {
  job: () => unknown
  durability: Durability
  resolve(value: never): void
  reject(error: unknown): void
}

/**
 * The one way to change the database. All writes of one turn of the event loop share a transaction, and so
 * one fsync: 16 customers who order at once wait for the disk once, not 16 times.
 */
export class Writer {
  #database: ShopDatabase
  #waiting: Waiting[] = []
  #synchronous: Durability | undefined

  constructor(database: ShopDatabase) {
    this.#database = database
  }

  /**
   * Runs `job` in a transaction and resolves with its result after the commit. `job` is synchronous and
   * changes nothing but the database, because it runs again when a neighbour's failure undid the transaction.
   *
   * @throws what `job` threw, or SQLite's error; then nothing of `job` was stored.
   */
  write<T>(job: () => T, durability: Durability): Promise<T> {
    if (this.#waiting.length >= MAX_WAITING) {
      return Promise.reject(
        new Error(`more than ${MAX_WAITING} writes are waiting for the database`),
      )
    }
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#commitWaiting())
      this.#waiting.push({ job, durability, resolve, reject })
    })
  }

  #commitWaiting() {
    const group = this.#waiting
    this.#waiting = []
    if (this.#commit(group)) return
    for (const one of group) this.#commit([one])
  }

  /** False: nothing is stored, and each of several is to be tried alone. */
  #commit(group: Waiting[]): boolean {
    let results: unknown[]
    try {
      this.#prepare(group.some((one) => one.durability === 'synced') ? 'synced' : 'written')
      results = this.#database.transaction(() => group.map((one) => one.job()), {
        behavior: 'immediate',
      })
    } catch (error) {
      if (group.length > 1) return false
      group[0]?.reject(error)
      return true
    }
    for (const [index, one] of group.entries()) one.resolve(results[index] as never)
    return true
  }

  #prepare(durability: Durability) {
    if (this.#synchronous === durability) return
    this.#database.$client.pragma(`synchronous = ${durability === 'synced' ? 'FULL' : 'NORMAL'}`)
    this.#synchronous = durability
  }
}
