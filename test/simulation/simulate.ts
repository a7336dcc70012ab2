import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { History } from './history.ts'

/** In memory where there is such a place: what is tested is what becomes of a file, not of a disk. */
const PLACE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** @throws Error that names the seed, the steps and how to see them again. */
export async function simulate(seed: number): Promise<string[]> {
  const folder = mkdtempSync(join(PLACE, 'meterbridge-'))
  try {
    await using history = new History(seed, folder)
    await history.run().catch((error: Error) => {
      const steps = history.trace.map((step, i) => `${i + 1}. ${step}`)
      throw new Error(
        `${error.message}\n\nHistory ${seed}:\n${steps.join('\n')}\n\nAgain: SIMULATION_SEED=${seed} npm test -- test/simulation`,
        { cause: error },
      )
    })
    return history.trace
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
