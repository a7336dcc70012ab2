import { join } from 'node:path'
import { openExisting, type ShopDatabase } from './database/open.ts'
import type { NumberRange } from './outbox/asked.ts'
import * as list from './outbox/list.ts'
import * as resend from './outbox/resend.ts'

export type { NumberRange } from './outbox/asked.ts'
export type { OutboxList } from './outbox/list.ts'
export type { Resent } from './outbox/resend.ts'

/**
 * What a command does with the outbox of the shop in `<dataDir>/shop`, whether the shop runs or not. A running shop
 * notices within a second, one that is started later at once.
 *
 * @throws StartError when there is no database.
 */
export function listOutbox(dataDir: string, limit: number): list.OutboxList {
  return withDatabase(dataDir, true, (database) => list.listOutbox(database, limit))
}

/** Puts these events that were set aside back; how many there were. @throws as `listOutbox`. */
export function resendSetAside(dataDir: string, ids: number[] | 'all'): number {
  return withDatabase(dataDir, false, (database) => resend.resendSetAside(database, ids))
}

/** Puts events back that were sent before, with their own numbers. @throws as `listOutbox`. */
export function resendRanges(dataDir: string, ranges: NumberRange[]): resend.Resent {
  return withDatabase(dataDir, false, (database) => resend.resendRanges(database, ranges))
}

function withDatabase<T>(
  dataDir: string,
  readonly: boolean,
  use: (database: ShopDatabase) => T,
): T {
  const database = openExisting(join(dataDir, 'shop'), { readonly })
  try {
    return use(database)
  } finally {
    database.$client.close()
  }
}
