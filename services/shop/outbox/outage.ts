import type { Logger } from '../../runtime/logger.ts'

/** A leader that moves fails one attempt and is no news. */
const FAILURES_TOLD = 2
/** A broker that hangs fails nothing: kafkajs waits twice as long for an answer, several times. */
const ANSWER_TOLD_MS = 5_000

/** Tells once that events do not reach Kafka, and once that they do again. */
export class Outage {
  readonly #logger: Logger
  #failures = 0
  #told = false

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Resolves with Kafka's answer, and tells when it takes long. @throws what `answer` rejects with. */
  async watch<T>(answer: Promise<T>): Promise<T> {
    const reason = `no answer for ${ANSWER_TOLD_MS / 1_000} s`
    const late = setTimeout(() => this.#tell(reason), ANSWER_TOLD_MS).unref()
    try {
      return await answer
    } finally {
      clearTimeout(late)
    }
  }

  failed({ message }: Error) {
    this.#failures += 1
    if (this.#failures >= FAILURES_TOLD) this.#tell(message)
  }

  over() {
    if (this.#told) this.#logger.info('events are sent to Kafka again')
    this.#failures = 0
    this.#told = false
  }

  #tell(reason: string) {
    if (this.#told) return
    this.#told = true
    this.#logger.warn(
      `events cannot be sent to Kafka (${reason}); orders are taken, and events kept until they can`,
    )
  }
}
