import { join } from 'node:path'
import { openDatabase } from './database.ts'
import type { Differences } from './differences.ts'
import type { Ledger } from './ledger.ts'
import { type OrderEvent, type Orders, type Requests, tally } from './recount.ts'

type ShopOrder = {
  id: number
  customer_email: string
  amount: number
  total_price: number
  is_prepaid: number
}

const UNIT_PRICE = 15

/** What each client was told is what the shop has. */
export function compareLedger(ledger: Ledger, shopDisk: string, differences: Differences) {
  for (const surprise of ledger.surprises) differences.add('unexpected answer', surprise)
  const stored = Map.groupBy(shopOrders(shopDisk), (order) => order.customer_email)
  for (const { email, outcome, amount, paid, id } of ledger.orders) {
    const rows = stored.get(email) ?? []
    stored.delete(email)
    const [row] = rows
    const least = outcome === 'taken' ? 1 : 0
    const most = outcome === 'refused' ? 0 : 1
    if (rows.length < least || rows.length > most) {
      differences.add('order', `${email} was ${outcome} and is in the shop ${rows.length} times`)
    } else if (row && (row.amount !== amount || row.is_prepaid !== Number(paid))) {
      differences.add('order', `${email} is another in the shop than was ordered`)
    } else if (row && row.total_price !== amount * UNIT_PRICE) {
      differences.add('order', `${email} has the price ${row.total_price}`)
    } else if (row && id !== undefined && row.id !== id) {
      differences.add('order', `${email} was shown as ${id} and is ${row.id}`)
    }
  }
  for (const email of stored.keys()) differences.add('order', `nobody ordered as ${email}`)
}

/** Each order of the shop is one event in Kafka, and no other is. */
export function compareShop(orders: Orders, shopDisk: string, differences: Differences) {
  const events = Map.groupBy(orders.events, ({ event }) => event.order_id)
  for (const { id, amount, total_price, is_prepaid } of shopOrders(shopDisk)) {
    const found = events.get(id) ?? []
    events.delete(id)
    const wanted: OrderEvent = {
      order_id: id,
      order_amount: amount,
      order_total_price: total_price,
      is_paid: is_prepaid === 1,
    }
    if (found.length !== 1) {
      differences.add('in Kafka', `order ${id} is ${found.length} events`)
    } else if (JSON.stringify(found[0]!.event) !== JSON.stringify(wanted)) {
      differences.add('in Kafka', `order ${id} is ${JSON.stringify(found[0]!.event)}`)
    }
  }
  for (const id of events.keys()) differences.add('in Kafka', `order ${id} is not in the shop`)
}

/** Each answered page view is an event; a request without answer, or that could not be stored, may be one. */
export function compareViews(ledger: Ledger, requests: Requests, differences: Differences) {
  const events = tally(requests, ({ route, method, status }) => `${route} ${method} ${status}`)
  for (const [key, answered] of ledger.answered) {
    if (key.endsWith(' 500') || (events.get(key) ?? 0) >= answered) continue
    differences.add('page view', `${key}: ${events.get(key) ?? 0} events, ${answered} answered`)
  }
  const asked = tally(requests, ({ route, method }) => `${route} ${method}`)
  for (const [key, count] of asked) {
    if (count <= (ledger.asked.get(key) ?? 0)) continue
    differences.add('page view', `${key}: ${count} events, ${ledger.asked.get(key) ?? 0} asked`)
  }
}
function shopOrders(shopDisk: string): ShopOrder[] {
  using database = openDatabase(join(shopDisk, 'shop', 'shop.db'))
  return database.all<ShopOrder>('select * from orders')
}
