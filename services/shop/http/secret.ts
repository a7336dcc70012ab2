import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { StartError } from '../../runtime/start-error.ts'

const SECRET_BYTES = 32
const OWNER_ONLY = 0o600

/**
 * The secret that signs cookies, made once and kept in `folder`, readable by this user alone.
 *
 * @throws StartError when the file is there and is not a secret.
 */
export function readCookieSecret(folder: string): string {
  const file = join(folder, 'cookie-secret')
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return create(file)
    throw new StartError(`cannot read ${file} (${(error as Error).message}); give it to this user`)
  }
  if (/^[0-9a-f]{64}$/.test(text)) return text
  throw new StartError(
    `${file} does not hold a cookie secret; delete it and start again (customers then cannot see their last order)`,
  )
}

function create(file: string): string {
  const secret = randomBytes(SECRET_BYTES).toString('hex')
  const temporary = `${file}.tmp`
  const handle = openSync(temporary, 'w', OWNER_ONLY)
  writeSync(handle, `${secret}\n`)
  fsyncSync(handle)
  closeSync(handle)
  renameSync(temporary, file)
  return secret
}
