import { EXIT } from './exit-codes.ts'

/**
 * A reason not to start (or not to go on) that a person can mend. `message` is one sentence that names
 * the cause and the mend; it is printed without a stack trace and the process ends with `exitCode`.
 */
export class StartError extends Error {
  override name = 'StartError'
  readonly exitCode: number

  constructor(message: string, exitCode: number = EXIT.refused) {
    super(message)
    this.exitCode = exitCode
  }
}
