import { html } from 'hono/html'
import { ROUTES } from '../http/routes.ts'
import { UNIT_PRICE } from '../order/order.ts'
import { page } from './layout.ts'

export function homePage() {
  return page(
    'Welcome',
    html`
      <h1>One thing, well made</h1>
      <p>We sell one thing, and it costs ${UNIT_PRICE} a piece. Say how many you want, and whether you pay now or later.</p>
      <a class="button" href="${ROUTES.form}">New order</a>
    `,
  )
}
