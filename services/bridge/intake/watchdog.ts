/** How long counting may stand still before something is done about it, and how long that may take to help. */
export const PATIENCE_MS = 60_000

export type Verdict = 'wait' | 'reconnect' | 'exit'

/** Decides when to connect anew, once, and when to give the process up, so that a supervisor starts it again. */
export class Watchdog {
  readonly #patienceMs: number
  #reconnectedMs: number | undefined

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs
  }

  /** @param sinceMs since when the oldest of what a new connection may mend lasts; undefined: all is well. */
  judge(sinceMs: number | undefined, nowMs: number): Verdict {
    if (sinceMs === undefined || nowMs - sinceMs < this.#patienceMs) {
      this.#reconnectedMs = undefined
      return 'wait'
    }
    if (this.#reconnectedMs === undefined) {
      this.#reconnectedMs = nowMs
      return 'reconnect'
    }
    return nowMs - this.#reconnectedMs < this.#patienceMs ? 'wait' : 'exit'
  }
}
