import assert from 'node:assert/strict'
import { fetch } from './fetch.ts'
import { type Attempt, BridgeProcess } from './process.ts'
import type { Random } from './random.ts'
import type { ReferenceStream } from './reference-stream.ts'
import type { Log } from './topic.ts'
import { keyOf, type Possible, Witness } from './witness.ts'

/** The processes on one folder: one that runs, and zombies that do not know of it. After every change all is compared. */
export class Bridges implements AsyncDisposable {
  readonly #random: Random
  readonly #folder: string
  readonly #reference: ReferenceStream
  readonly #witness: Witness
  readonly #tell: (step: string) => void
  /** The running one last. */
  readonly #processes: BridgeProcess[] = []
  /** Fetches that a process has folded and not yet committed. */
  #held: { process: BridgeProcess; attempt: Attempt }[] = []

  /** @param tell is told what happens, for people. */
  constructor(
    random: Random,
    folder: string,
    reference: ReferenceStream,
    tell: (step: string) => void,
  ) {
    this.#random = random
    this.#folder = folder
    this.#reference = reference
    this.#tell = tell
    this.open()
    this.#witness = new Witness(folder, reference)
  }

  get running(): BridgeProcess {
    return this.#processes.at(-1)!
  }

  /** Another process takes over. */
  open() {
    this.#processes.push(new BridgeProcess(this.#folder))
  }

  /** Does what may crash `process`, opens the store anew if that was the running one, and compares. */
  async doing(process: BridgeProcess, work: () => Promise<void>, possible: Possible) {
    try {
      await work()
    } catch (error) {
      if (!process.crashes.crashed) throw error
    }
    if (process.crashes.crashed) {
      this.#tell('  crashed')
      this.#held = this.#held.filter((held) => held.process !== process)
      const place = this.#processes.indexOf(process)
      this.#processes.splice(place, 1)
      await process.store.end()
      if (place === this.#processes.length) this.open()
    }
    await this.look(possible)
  }

  look(possible: Possible): Promise<void> {
    return this.#witness.look(this.running.store, possible)
  }

  /** A fetch, folded; undefined when there is nothing to read, or placing crashed. */
  async fold(log: Log, nowMs: number): Promise<Attempt | undefined> {
    const process = this.running
    if (!process.reads(log)) {
      await this.doing(process, () => process.place(log, nowMs), { begun: log })
    }
    if (process.crashes.crashed) return undefined
    const fetched = fetch(this.#random, log, process.position(log))
    return fetched && process.fold(log, fetched.batches, fetched.to, nowMs)
  }

  async read(log: Log, nowMs: number) {
    const attempt = await this.fold(log, nowMs)
    if (attempt) await this.commit(this.running, attempt, nowMs)
  }

  async hold(log: Log, nowMs: number) {
    const attempt = await this.fold(log, nowMs)
    if (attempt) this.#held.push({ process: this.running, attempt })
  }

  async commitHeld(nowMs: number) {
    if (this.#held.length === 0) return
    const held = this.#random.pick(this.#held)
    // What was committed may well be committed again.
    if (this.#random.chance(0.7)) this.#held = this.#held.filter((other) => other !== held)
    await this.commit(held.process, held.attempt, nowMs)
  }

  async commitAllHeld(nowMs: number) {
    for (const { process, attempt } of this.#held) {
      if (!process.crashes.crashed) await this.commit(process, attempt, nowMs)
    }
  }

  /** The compare-and-set lets in what follows on the position of the newest incarnation, and nothing else. */
  async commit(process: BridgeProcess, attempt: Attempt, nowMs: number) {
    const { log, delta } = attempt
    const key = keyOf(log)
    const incarnations = [...this.#reference.folds.keys()].filter((other) =>
      other.startsWith(`${log.partition}/`),
    )
    const follows = this.#reference.folds.get(key)!.position === delta.from
    const expected = follows && incarnations.at(-1) === key ? 'committed' : 'stale'
    this.#tell(`  ${key}: ${delta.from} to ${delta.to} is ${expected}`)
    const work = async () => assert.equal(await process.commit(attempt, nowMs), expected)
    await this.doing(process, work, { attempt })
  }

  async [Symbol.asyncDispose]() {
    this.#witness[Symbol.dispose]()
    for (const { store } of this.#processes) await store.end()
  }
}
