import { html } from 'hono/html'
import { ROUTES } from '../http/routes.ts'
import type { Order } from '../order/order.ts'
import { page } from './layout.ts'

export function orderCompletePage(order: Order) {
  return page(
    'Thank you',
    html`
      <h1>Thank you, your order is placed</h1>
      <dl>
        <dt>Order</dt><dd>${order.id}</dd>
        <dt>E-mail</dt><dd>${order.customerEmail}</dd>
        <dt>Amount</dt><dd>${order.amount}</dd>
        <dt>Total price</dt><dd>${order.totalPrice}</dd>
        <dt>Payment</dt><dd>${order.isPrepaid ? 'prepaid' : 'on credit'}</dd>
      </dl>
      <a class="button" href="${ROUTES.form}">New order</a>
    `,
  )
}
