import { appendFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Service } from '../harness/service.ts'

const RESTART_MS = 250

/** A process that is started again whenever it ends, as a supervisor of an installation does it. */
export class Supervised {
  readonly name: string
  readonly #start: () => Service
  readonly #log: string
  readonly #finished: Promise<void>
  #service: Service
  #downMs: number | undefined
  #stopping = false
  #linesBefore = 0
  /** Exit codes with which it ended by itself. */
  readonly exits: (number | null)[] = []
  /** How often it was started. */
  starts = 1

  /** @param log file to which its output goes. */
  constructor(name: string, log: string, start: () => Service) {
    this.name = name
    this.#start = start
    this.#log = log
    this.#service = start()
    this.#finished = this.#run()
  }

  get service(): Service {
    return this.#service
  }

  /** Ends it with SIGKILL; resolves when it was started again after `downMs`. */
  async kill9(downMs: number) {
    const killed = this.starts
    this.#downMs = downMs
    this.#service.process.kill('SIGKILL')
    while (this.starts === killed && !this.#stopping) await delay(5)
  }

  /** Lines printed so far, by all of its processes. */
  outputLines(): number {
    return this.#linesBefore + linesOf(this.#service.output())
  }

  signal(signal: 'SIGSTOP' | 'SIGCONT') {
    this.#service.process.kill(signal)
  }

  /** Ends it for good. @returns its exit code. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#stopping = true
    this.#service.process.kill('SIGCONT')
    const code = await this.#service.end(signal)
    await this.#finished
    return code
  }

  async #run() {
    for (;;) {
      const code = await this.#service.exited
      this.#keepOutput(code)
      if (this.#stopping) return
      if (this.#downMs === undefined) this.exits.push(code)
      await delay(this.#downMs ?? RESTART_MS)
      this.#downMs = undefined
      if (this.#stopping) return
      this.#linesBefore += linesOf(this.#service.output())
      this.#service = this.#start()
      this.starts += 1
    }
  }

  #keepOutput(code: number | null) {
    const output = this.#service.output()
    const end = new Date().toISOString()
    appendFileSync(this.#log, `${output}--- ended at ${end} with ${code ?? 'a signal'}\n`)
  }
}

function linesOf(output: string): number {
  return output.split('\n').length - 1
}
