import { type } from 'arktype'
import { streams } from '../../services/bridge/streams/index.ts'

export const requests = streams.find(({ name }) => name === 'requests')!
export const orders = streams.find(({ name }) => name === 'orders')!

/** The orders' definition before it was mended: it took no more than 3 units. */
export const strictOrders: typeof orders = {
  ...orders,
  schema: type({
    order_id: 'number.integer >= 0',
    order_amount: '1 <= number.integer <= 3',
    order_total_price: 'number.integer >= 0',
    is_paid: 'boolean',
  }) as unknown as typeof orders.schema,
}
