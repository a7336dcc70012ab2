import assert from 'node:assert/strict'
import { CRASH_POINTS } from './crashes.ts'
import { fetch } from './fetch.ts'
import { Lake } from './lake.ts'
import { type Attempt, BridgeProcess } from './process.ts'
import { Random } from './random.ts'
import { ReferenceStream } from './reference-stream.ts'
import { type Log, Topic } from './topic.ts'
import { keyOf, type Possible, Witness } from './witness.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const RETENTION_MS = 400 * DAY_MS
const DAY = Date.UTC(2026, 4, 1)
const MAX_PARTITIONS = 4

/** What happens, and how often. */
const STEPS = {
  append: 22,
  read: 28,
  hold: 9,
  commitHeld: 9,
  publish: 14,
  clock: 10,
  crash: 10,
  takeOver: 4,
  truncate: 5,
  recreate: 2,
  addPartition: 1,
}
type Step = keyof typeof STEPS

/** One random history of a bridge, its topic and its files, compared with the reference after every step. */
export class History implements AsyncDisposable {
  /** The steps so far. */
  readonly trace: string[] = []
  readonly #random: Random
  readonly #folder: string
  readonly #topic: Topic
  readonly #reference: ReferenceStream
  readonly #lake: Lake
  readonly #witness: Witness
  /** The running one last; those before it no longer know how far others have come. */
  readonly #processes: BridgeProcess[] = []
  /** Fetches that a process has folded and not yet committed. */
  #held: { process: BridgeProcess; attempt: Attempt }[] = []
  #nowMs: number

  constructor(seed: number, folder: string) {
    const random = new Random(seed)
    this.#random = random
    this.#folder = folder
    this.#nowMs =
      DAY + random.pick([0, 0, 12 * 60, 600]) * MINUTE_MS + random.between(-9, 9) * 1_000
    this.#topic = new Topic(random, random.between(1, 3))
    this.#reference = new ReferenceStream(floor(this.#nowMs, MINUTE_MS), this.#retainedMs())
    this.#lake = new Lake(folder)
    this.#open()
    this.#witness = new Witness(folder, this.#reference)
  }

  /** @throws Error at the first step after which something is not as it must be. */
  async run() {
    await this.#process.start(this.#nowMs)
    for (let steps = this.#random.between(15, 45); steps > 0; steps--) await this.#step()
    await this.#finish()
  }

  get #process(): BridgeProcess {
    return this.#processes.at(-1)!
  }

  #open() {
    this.#processes.push(new BridgeProcess(this.#folder))
  }

  #retainedMs(): number {
    return floor(this.#nowMs, DAY_MS) - RETENTION_MS
  }

  #step(): Promise<void> {
    const random = this.#random
    const log = random.pick(this.#topic.logs)
    const steps: Record<Step, () => Promise<void> | void> = {
      append: () => this.#topic.append(log, this.#nowMs),
      read: () => this.#read(log),
      hold: () => this.#hold(log),
      commitHeld: () => this.#commitHeld(),
      publish: () => this.#publish(),
      clock: () => this.#clock(),
      crash: () => this.#armCrash(),
      takeOver: () => this.#open(),
      truncate: () => this.#topic.truncate(log),
      recreate: () => this.#topic.recreate(random.between(1, 3)),
      addPartition: () => this.#topic.addPartition(),
    }
    const step = random.weighted(STEPS)
    if (step === 'addPartition' && this.#topic.logs.length === MAX_PARTITIONS)
      return this.#publish()
    this.trace.push(`${step} (${keyOf(log)}, clock ${new Date(this.#nowMs).toISOString()})`)
    return Promise.resolve(steps[step]())
  }

  /** Does what may crash `process`, opens the store anew if that was the running one, and compares. */
  async #doing(process: BridgeProcess, work: () => Promise<void>, possible: Possible) {
    try {
      await work()
    } catch (error) {
      if (!process.crashes.crashed) throw error
    }
    if (process.crashes.crashed) {
      this.trace.push('  crashed')
      this.#held = this.#held.filter((held) => held.process !== process)
      const place = this.#processes.indexOf(process)
      this.#processes.splice(place, 1)
      await process.store.end()
      if (place === this.#processes.length) this.#open()
    }
    await this.#witness.look(this.#process.store, possible)
  }

  /** A fetch, folded; undefined when there is nothing to read, or placing crashed. */
  async #fold(log: Log): Promise<Attempt | undefined> {
    const process = this.#process
    if (!process.reads(log))
      await this.#doing(process, () => process.place(log, this.#nowMs), { begun: log })
    if (process.crashes.crashed) return undefined
    const fetched = fetch(this.#random, log, process.position(log))
    return fetched && process.fold(log, fetched.batches, fetched.to, this.#nowMs)
  }

  async #read(log: Log) {
    const attempt = await this.#fold(log)
    if (attempt) await this.#commit(this.#process, attempt)
  }

  async #hold(log: Log) {
    const attempt = await this.#fold(log)
    if (attempt) this.#held.push({ process: this.#process, attempt })
  }

  async #commitHeld() {
    if (this.#held.length === 0) return
    const held = this.#random.pick(this.#held)
    // What was committed may well be committed again.
    if (this.#random.chance(0.7)) this.#held = this.#held.filter((other) => other !== held)
    await this.#commit(held.process, held.attempt)
  }

  /** The compare-and-set lets in what follows on the position of the newest incarnation, and nothing else. */
  async #commit(process: BridgeProcess, attempt: Attempt) {
    const { log, delta } = attempt
    const follows = this.#reference.folds.get(keyOf(log))!.position === delta.from
    const ofPartition = [...this.#reference.folds.keys()].filter((key) =>
      key.startsWith(`${log.partition}/`),
    )
    const newest = ofPartition.at(-1) === keyOf(log)
    this.trace.push(`  ${keyOf(log)}: ${delta.from} to ${delta.to}, follows: ${follows}`)
    const work = async () => {
      const result = await process.commit(attempt, this.#nowMs)
      assert.equal(result, follows && newest ? 'committed' : 'stale')
    }
    await this.#doing(process, work, { attempt })
  }

  async #publish() {
    const process = this.#process
    const reference = this.#reference
    const possible = { closedMs: -1, sealedBeforeMs: -1 }
    let waiting: number[] = []
    const overMs = floor(this.#nowMs, MINUTE_MS) - MINUTE_MS
    const closableMs = process.closableMs(this.#topic, this.#nowMs)
    possible.closedMs = Math.max(reference.closedMs, Math.min(closableMs, overMs))
    const wholeDaysMs = floor(possible.closedMs + MINUTE_MS, DAY_MS)
    possible.sealedBeforeMs = Math.max(
      reference.sealedBeforeMs,
      Math.min(this.#retainedMs(), wholeDaysMs),
    )
    const work = async () => {
      await this.#commitMeanwhile(possible)
      await process.publish(closableMs, this.#nowMs)
      process.crashes.meanwhile = undefined
      waiting = await process.store.pendingDays('orders')
      // A day that changed again while it was written is written first.
      const sealable = [possible.sealedBeforeMs, ...waiting]
      possible.sealedBeforeMs = Math.max(reference.sealedBeforeMs, Math.min(...sealable))
    }
    await this.#doing(process, work, possible)
    if (process.crashes.crashed) return
    assert.deepEqual(process.errors, [])
    assert.equal(reference.closedMs, possible.closedMs)
    assert.equal(reference.sealedBeforeMs, possible.sealedBeforeMs)
    if (waiting.length === 0) this.#lake.compare(reference)
  }

  /** Often something is committed while files are written. */
  async #commitMeanwhile(possible: Possible) {
    const process = this.#process
    const log = this.#random.pick(this.#topic.logs)
    if (process.crashes.armed || this.#random.chance(0.5)) return
    const attempt = await this.#fold(log)
    process.crashes.meanwhile = async () => {
      await this.#witness.look(process.store, possible)
      if (attempt) await this.#commit(process, attempt)
    }
  }

  #clock() {
    const kind = this.#random.weighted({ seconds: 10, minutes: 6, hour: 1, day: 0.8 })
    const most = { seconds: 30, minutes: 300, hour: 3_600, day: 2 * 86_400 }[kind]
    this.#nowMs += this.#random.between(1, most) * 1_000
  }

  #armCrash() {
    const point = this.#random.pick(CRASH_POINTS)
    this.trace.push(`  ${point}`)
    this.#process.crashes.armed ??= { point, passes: this.#random.pick([0, 0, 0, 1]) }
  }

  /** Everything is read, closed and written; what is committed after that is refused. */
  async #finish() {
    this.trace.push('the end')
    this.#open()
    for (const log of this.#topic.logs) {
      await this.#read(log)
      while (this.#process.position(log) < log.next) await this.#read(log)
    }
    this.#nowMs += 3 * MINUTE_MS
    await this.#publish()
    assert.ok(this.#reference.closedMs > this.#nowMs - 3 * MINUTE_MS, 'what is over is closed')
    for (const { process, attempt } of this.#held) {
      if (!process.crashes.crashed) await this.#commit(process, attempt)
    }
  }

  async [Symbol.asyncDispose]() {
    this.#witness[Symbol.dispose]()
    for (const { store } of this.#processes) await store.end()
  }
}

function floor(timeMs: number, unitMs: number): number {
  return Math.floor(timeMs / unitMs) * unitMs
}
