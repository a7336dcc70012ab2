import { randomUUID } from 'node:crypto'
import type { Context } from 'hono'
import { EMPTY_FORM, readOrderForm, type TypedForm } from '../order/form.ts'
import type { Orders } from '../order/orders.ts'
import { messagePage } from '../pages/message.ts'
import { orderCompletePage } from '../pages/order-complete.ts'
import { orderFormPage } from '../pages/order-form.ts'
import { rememberedOrder, rememberOrder } from './order-cookie.ts'
import { requestFacts, type ShopEnvironment } from './record.ts'
import { ROUTES } from './routes.ts'

const FORM_TOKEN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * The handlers that make an order and show it.
 *
 * Each form carries a token of its own, so that a double click or a reload makes one order. A client that
 * sends none, such as curl, makes an order with every POST.
 */
export function orderPages(orders: Orders, cookieSecret: string) {
  return {
    form: (c: Context) => c.html(orderFormPage(EMPTY_FORM, {}, randomUUID())),

    async submit(c: Context<ShopEnvironment>) {
      const { typed, token } = await readBody(c)
      const read = readOrderForm(typed)
      if ('mistakes' in read) {
        return c.html(orderFormPage(typed, read.mistakes, token ?? randomUUID()), 422)
      }
      const facts = requestFacts(ROUTES.form, c.req.method, 303, c.get('startedAt'))
      const id = await orders.place(read.order, token, facts, Date.now())
      c.set('recorded', true)
      await rememberOrder(c, id, cookieSecret)
      return c.redirect(ROUTES.complete, 303)
    },

    async complete(c: Context) {
      const id = await rememberedOrder(c, cookieSecret)
      const order = id === undefined ? undefined : orders.find(id)
      if (order) return c.html(orderCompletePage(order))
      const text =
        'This page shows the order that was last placed in this browser, and there is none. Place one, or open this page in the browser in which you ordered, with cookies allowed.'
      const link = { href: ROUTES.form, text: 'New order' }
      return c.html(messagePage('No order to show', text, link), 404)
    },
  }
}

/** A body that cannot be read, and a field that is a file, count as left empty: the form says what is missing. */
async function readBody(c: Context): Promise<{ typed: TypedForm; token: string | undefined }> {
  const body = await c.req.parseBody().catch(() => ({}) as Record<string, unknown>)
  const text = (name: string) => {
    const value = body[name]
    return typeof value === 'string' ? value : ''
  }
  const token = text('form_token')
  return {
    typed: { email: text('email'), amount: text('amount'), is_paid_now: text('is_paid_now') },
    token: FORM_TOKEN.test(token) ? token : undefined,
  }
}
