import assert from 'node:assert/strict'
import { Bridges } from './bridges.ts'
import { CRASH_POINTS } from './crashes.ts'
import { Lake } from './lake.ts'
import { Random } from './random.ts'
import { ReferenceStream } from './reference-stream.ts'
import { Topic } from './topic.ts'
import { keyOf, type Possible } from './witness.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const RETENTION_MS = 400 * DAY_MS
const DAY = Date.UTC(2026, 4, 1)

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
  readonly #topic: Topic
  readonly #reference: ReferenceStream
  readonly #lake: Lake
  readonly #bridges: Bridges
  #nowMs: number

  constructor(seed: number, folder: string) {
    const random = new Random(seed)
    this.#random = random
    this.#nowMs =
      DAY + random.pick([0, 0, 12 * 60, 600]) * MINUTE_MS + random.between(-9, 9) * 1_000
    this.#topic = new Topic(random, random.between(1, 3))
    this.#reference = new ReferenceStream(floor(this.#nowMs, MINUTE_MS), this.#retainedMs())
    this.#lake = new Lake(folder)
    const tell = (step: string) => void this.trace.push(step)
    this.#bridges = new Bridges(random, folder, this.#reference, tell)
  }

  /** @throws Error at the first step after which something is not as it must be. */
  async run() {
    await this.#bridges.running.start(this.#nowMs)
    for (let steps = this.#random.between(15, 45); steps > 0; steps--) await this.#step()
    await this.#finish()
  }

  #retainedMs(): number {
    return floor(this.#nowMs, DAY_MS) - RETENTION_MS
  }

  #step(): Promise<void> {
    const random = this.#random
    const bridges = this.#bridges
    const nowMs = this.#nowMs
    const log = random.pick(this.#topic.logs)
    const steps: Record<Step, () => Promise<void> | void> = {
      append: () => this.#topic.append(log, nowMs),
      read: () => bridges.read(log, nowMs),
      hold: () => bridges.hold(log, nowMs),
      commitHeld: () => bridges.commitHeld(nowMs),
      publish: () => this.#publish(),
      clock: () => this.#clock(),
      crash: () => this.#armCrash(),
      takeOver: () => bridges.open(),
      truncate: () => this.#topic.truncate(log),
      recreate: () => this.#topic.recreate(random.between(1, 3)),
      addPartition: () => this.#topic.addPartition(),
    }
    const step = random.weighted(STEPS)
    this.trace.push(`${step} (${keyOf(log)}, clock ${new Date(nowMs).toISOString()})`)
    return Promise.resolve(steps[step]())
  }

  async #publish() {
    const process = this.#bridges.running
    const reference = this.#reference
    const closableMs = process.closableMs(this.#topic, this.#nowMs)
    const possible = this.#publishable(closableMs)
    let waiting: number[] = []
    const work = async () => {
      await this.#commitMeanwhile(possible)
      await process.publish(closableMs, this.#nowMs)
      process.crashes.meanwhile = undefined
      waiting = await process.store.pendingDays('orders')
      // A day that changed again while it was written is written first.
      const sealable = [possible.sealedBeforeMs, ...waiting]
      possible.sealedBeforeMs = Math.max(reference.sealedBeforeMs, Math.min(...sealable))
    }
    await this.#bridges.doing(process, work, possible)
    if (process.crashes.crashed) return
    assert.deepEqual(process.errors, [])
    assert.equal(reference.closedMs, possible.closedMs)
    assert.equal(reference.sealedBeforeMs, possible.sealedBeforeMs)
    if (waiting.length === 0) this.#lake.compare(reference)
  }

  /** What publishing closes and seals at most. */
  #publishable(closableMs: number) {
    const { closedMs, sealedBeforeMs } = this.#reference
    const overMs = floor(this.#nowMs, MINUTE_MS) - MINUTE_MS
    const closesMs = Math.max(closedMs, Math.min(closableMs, overMs))
    const sealable = Math.min(this.#retainedMs(), floor(closesMs + MINUTE_MS, DAY_MS))
    return { closedMs: closesMs, sealedBeforeMs: Math.max(sealedBeforeMs, sealable) }
  }

  /** Often something is committed while files are written. */
  async #commitMeanwhile(possible: Possible) {
    const process = this.#bridges.running
    const log = this.#random.pick(this.#topic.logs)
    if (process.crashes.armed || this.#random.chance(0.5)) return
    const attempt = await this.#bridges.fold(log, this.#nowMs)
    process.crashes.meanwhile = async () => {
      await this.#bridges.look(possible)
      if (attempt) await this.#bridges.commit(process, attempt, this.#nowMs)
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
    this.#bridges.running.crashes.armed ??= { point, passes: this.#random.pick([0, 0, 0, 1]) }
  }

  /** Everything is read, closed and written; what is committed after that is refused. */
  async #finish() {
    this.trace.push('the end')
    const bridges = this.#bridges
    bridges.open()
    for (const log of this.#topic.logs) {
      await bridges.read(log, this.#nowMs)
      while (bridges.running.position(log) < log.next) await bridges.read(log, this.#nowMs)
    }
    this.#nowMs += 3 * MINUTE_MS
    // Twice: something may be committed meanwhile.
    for (let i = 0; i < 2; i++) await this.#publish()
    assert.deepEqual(await bridges.running.store.pendingDays('orders'), [], 'all is written')
    assert.ok(this.#reference.closedMs > this.#nowMs - 3 * MINUTE_MS, 'what is over is closed')
    await bridges.commitAllHeld(this.#nowMs)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#bridges[Symbol.asyncDispose]()
  }
}

function floor(timeMs: number, unitMs: number): number {
  return Math.floor(timeMs / unitMs) * unitMs
}
