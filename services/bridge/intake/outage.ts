import type { Logger } from '../../runtime/logger.ts'

/** Something that fails now and then, however often it is tried: said once when it begins, and once when it is over. */
export class Outage {
  readonly #logger: Logger
  readonly #sentences: { began: string; over: string }
  #current: { sinceMs: number; reason: string } | undefined

  constructor(logger: Logger, sentences: { began: string; over: string }) {
    this.#logger = logger
    this.#sentences = sentences
  }

  /** Since when (ms), and why at last; undefined while all is well. */
  get current(): { sinceMs: number; reason: string } | undefined {
    return this.#current
  }

  failed(error: Error, nowMs: number) {
    const reason = reasonOf(error)
    if (!this.#current) this.#logger.warn({ reason }, this.#sentences.began)
    this.#current = { sinceMs: this.#current?.sinceMs ?? nowMs, reason }
  }

  worked(nowMs: number) {
    if (!this.#current) return
    const seconds = Math.round((nowMs - this.#current.sinceMs) / 1_000)
    this.#logger.warn(`${this.#sentences.over} after ${seconds} s`)
    this.#current = undefined
  }
}

/** What is wrong with a topic: each reason is said once, however often it comes again. */
export class Complaints {
  readonly #logger: Logger
  readonly #sentence: string
  readonly #reasons = new Map<string, string>()

  constructor(logger: Logger, sentence: string) {
    this.#logger = logger
    this.#sentence = sentence
  }

  tell(topic: string, error: Error) {
    const reason = reasonOf(error)
    if (this.#reasons.get(topic) === reason) return
    this.#reasons.set(topic, reason)
    this.#logger.warn({ topic, reason }, this.#sentence)
    this.#logger.debug({ err: error }, 'because of this')
  }

  over(topic: string) {
    this.#reasons.delete(topic)
  }
}

/** What an error says at its root: libraries wrap it in what they were about to do. */
function reasonOf(error: Error): string {
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message
}
