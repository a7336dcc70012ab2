import type { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { Logger } from '../../runtime/logger.ts'
import { messagePage } from '../pages/message.ts'
import type { ShopEnvironment } from './record.ts'
import { ROUTES } from './routes.ts'

/** The pages for what no route answers, and for what went wrong on the way. */
export function addErrorPages(app: Hono<ShopEnvironment>, logger: Logger) {
  app.notFound((c) =>
    c.html(messagePage('There is no such page', 'Check the address, or start from the shop.'), 404),
  )
  app.onError((error, c) => {
    if (error instanceof HTTPException && error.status === 403) {
      const text =
        'This form came from another site, so nothing was ordered. Please order from the form here.'
      return c.html(
        messagePage('Not from here', text, { href: ROUTES.form, text: 'To the form' }),
        403,
      )
    }
    logger.error({ err: error, method: c.req.method, path: c.req.path }, 'a request failed')
    const text =
      'The shop could not store your request, so nothing was ordered. Please try again in a moment.'
    return c.html(messagePage('Something went wrong on our side', text), 500)
  })
}
