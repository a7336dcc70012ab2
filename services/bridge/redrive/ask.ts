import { StartError } from '../../runtime/start-error.ts'
import type { Address } from '../../settings/settings.ts'
import { MAX_LETTERS, type Outcome } from './redrive.ts'
import { readToken } from './token.ts'

/** One call: as many letters as it may have, each with a fetch that may wait for Kafka. */
const DEADLINE_MS = 120_000

export type AskOptions = {
  /** Where the bridge listens. */
  listen: Address
  /** The bridge's part of the data folder. */
  folder: string
}

/**
 * Asks the running bridge to drive dead letters through again, some hundreds at a time; yields what became of them as
 * the answers come.
 *
 * @throws StartError when no bridge answers, or it is not the one of this data folder.
 */
export async function* askToRedrive(
  { listen, folder }: AskOptions,
  ids: readonly number[],
): AsyncGenerator<Outcome[]> {
  const token = readToken(folder)
  for (let at = 0; at < ids.length; at += MAX_LETTERS) {
    yield await call(listen, token, ids.slice(at, at + MAX_LETTERS))
  }
}

async function call({ host, port }: Address, token: string, ids: number[]): Promise<Outcome[]> {
  const url = `http://${reachable(host)}:${port}/redrive`
  const asked = { method: 'POST', body: JSON.stringify({ ids }) }
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const signal = AbortSignal.timeout(DEADLINE_MS)
  const response = await fetch(url, { ...asked, headers, signal }).catch((error: Error) => {
    const cause = error.cause instanceof Error ? error.cause : error
    throw new StartError(
      `no bridge answers at ${url} (${cause.message}); start it, or set METERBRIDGE_LISTEN to where it listens`,
    )
  })
  if (response.status === 401) {
    throw new StartError(
      `the bridge at ${url} has another token than this data folder; set METERBRIDGE_DATA_DIR and METERBRIDGE_LISTEN to the same bridge's`,
    )
  }
  if (!response.ok)
    throw new StartError(`the bridge answers ${response.status}: ${await response.text()}`)
  return ((await response.json()) as { letters: Outcome[] }).letters
}

/** Where to reach who listens on all addresses. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}
