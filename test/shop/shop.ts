import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { createLogger } from '../../services/runtime/logger.ts'
import { openShop } from '../../services/shop/shop.ts'
import { temporaryFolder } from '../harness/folder.ts'

export type Form = Record<string, string>
export const GOOD_FORM: Form = { email: 'anna@example.com', amount: '7', is_paid_now: 'true' }

export type StoredEvent = { topic: string; key: string | null; value: string; event_time: number }

/** A data folder that the shop of the first schema left: orders, and events sent, set aside, numbered and waiting. */
export const OLD_DATA = join(import.meta.dirname, 'fixtures/schema-0000')

/**
 * A shop without a port and without Kafka; gone when its `using` scope ends.
 *
 * @param data a data folder to start with a copy of; by default, all is new.
 */
export function temporaryShop(data?: string) {
  const folder = temporaryFolder()
  if (data) cpSync(data, folder.path, { recursive: true })
  const shop = openShop(folder.path, createLogger('shop', 'silent'))
  const request = (path: string, init?: RequestInit) => shop.app.request(path, init)
  return {
    ...shop,
    folder: folder.path,
    get: (path: string, headers: Record<string, string> = {}) => request(path, { headers }),
    request,
    submit: (form: Form, headers: Record<string, string> = {}) =>
      request('/order-new', { method: 'POST', body: new URLSearchParams(form), headers }),
    /** Rows of a query, for looking behind the pages. */
    rows: <T>(query: string) => shop.database.$client.prepare(query).all() as T[],
    events: (topic: string) =>
      shop.database.$client
        .prepare('select topic, key, value, event_time from outbox where topic = ? order by id')
        .all(topic) as StoredEvent[],
    [Symbol.dispose]: () => {
      shop.close()
      folder[Symbol.dispose]()
    },
  }
}

/** What a browser would send back of the cookies that `response` set. */
export function cookieOf(response: Response): Record<string, string> {
  const [cookie = ''] = response.headers.getSetCookie()
  return { cookie: cookie.split(';')[0] ?? '' }
}
