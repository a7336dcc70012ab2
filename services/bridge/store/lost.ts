import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { StartError } from '../../runtime/start-error.ts'
import { STORE_FILE } from './database.ts'

/**
 * A store that was there and is gone must not begin again from 0: every counter would go back.
 *
 * @param lake where its files are published.
 * @throws StartError when `folder` holds no database, though checkpoints or published files show that there was one.
 */
export function refuseLost(folder: string, lake: string) {
  const file = join(folder, STORE_FILE)
  if (existsSync(file) && statSync(file).size > 0) return
  const traces = [join(folder, 'checkpoints'), join(lake, 'manifests')].filter(hasEntries)
  if (traces.length === 0) return
  throw new StartError(
    `the store ${file} is gone, though ${traces.join(' and ')} shows that there was one: a new one would count from 0; put it back, or count it anew with \`npm run meterbridge -- rebuild --swap\`; to begin from 0 all the same, move ${folder} and ${lake} away`,
  )
}

function hasEntries(folder: string): boolean {
  return existsSync(folder) && readdirSync(folder).length > 0
}
