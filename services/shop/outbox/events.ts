import type { Order } from '../order/order.ts'

export const TOPICS = { requests: 'web_requests', orders: 'new_orders' } as const

export type Event = {
  topic: string
  /** Records of one key go to one partition; null: spread evenly. */
  key: string | null
  /** JSON. */
  value: string
  /** Milliseconds since 1970. */
  eventTime: number
}

export type RequestFacts = {
  route: string
  method: string
  status: number
  durationMicroseconds: number
}

export function requestEvent(request: RequestFacts, eventTime: number): Event {
  const { route, method, status, durationMicroseconds: duration } = request
  const value = JSON.stringify({ route, method, status, duration })
  return { topic: TOPICS.requests, key: null, value, eventTime }
}

/** Without the e-mail address: no personal data leaves the shop's database. */
export function orderEvent(order: Order, eventTime: number): Event {
  const value = JSON.stringify({
    order_id: order.id,
    order_amount: order.amount,
    order_total_price: order.totalPrice,
    is_paid: order.isPrepaid,
  })
  return { topic: TOPICS.orders, key: String(order.id), value, eventTime }
}
