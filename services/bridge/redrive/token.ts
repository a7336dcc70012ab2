import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { StartError } from '../../runtime/start-error.ts'

const BYTES = 32
const TOKEN = /^[0-9a-f]{64}$/
const OWNER_ONLY = 0o600

/** The token with which this user's commands change something: kept in `<folder>/token`, made where there is none. */
export function makeToken(folder: string): string {
  const kept = readIfAny(folder)
  if (kept !== undefined) return kept
  const token = randomBytes(BYTES).toString('hex')
  const file = join(folder, 'token')
  mkdirSync(folder, { recursive: true })
  // Whole or not at all, whenever the process ends.
  writeFileSync(`${file}.new`, `${token}\n`, { mode: OWNER_ONLY })
  renameSync(`${file}.new`, file)
  return token
}

/** @throws StartError when there is none, or this user may not read it. */
export function readToken(folder: string): string {
  const token = readIfAny(folder)
  if (token !== undefined) return token
  throw new StartError(
    `there is no token in ${folder}; start the bridge, or set METERBRIDGE_DATA_DIR to its data folder`,
  )
}

/** Whether a request's `Authorization` is `Bearer <token>`; takes as long whatever it is. */
export function isAuthorized(authorization: string | undefined, token: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(authorization ?? ''), digest(`Bearer ${token}`))
}

function readIfAny(folder: string): string | undefined {
  const file = join(folder, 'token')
  try {
    const text = readFileSync(file, 'utf8').trim()
    return TOKEN.test(text) ? text : undefined
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new StartError(`cannot read ${file} (${message}); give this user the right to`)
  }
}
