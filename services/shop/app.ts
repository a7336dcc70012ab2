import { type Context, Hono } from 'hono'
import type { Logger } from '../runtime/logger.ts'
import { addErrorPages } from './http/error-pages.ts'
import { limitBody, refuseCrossSite } from './http/guards.ts'
import { orderPages } from './http/order-pages.ts'
import { recordRequests, type ShopEnvironment } from './http/record.ts'
import { allowedMethods, ROUTES } from './http/routes.ts'
import { strictHeaders } from './http/secure-headers.ts'
import type { Metrics } from './metrics.ts'
import type { Orders } from './order/orders.ts'
import type { Outbox } from './outbox/outbox.ts'
import { ICON, STYLE } from './pages/assets.ts'
import { homePage } from './pages/home.ts'
import { messagePage } from './pages/message.ts'

export type ShopParts = {
  orders: Orders
  outbox: Outbox
  metrics: Metrics
  cookieSecret: string
  logger: Logger
}

const ONE_YEAR_SECONDS = 31_536_000

/** The shop's web application: three pages, their assets, `/metrics` and `/healthz`. */
export function createApp({ orders, outbox, metrics, cookieSecret, logger }: ShopParts) {
  const app = new Hono<ShopEnvironment>()
  const order = orderPages(orders, cookieSecret)
  addErrorPages(app, logger)
  app.use(strictHeaders())

  for (const route of Object.values(ROUTES)) {
    app.use(route, ...recordRequests(route, outbox, metrics), noStore)
  }
  app.get(ROUTES.home, (c) => c.html(homePage()))
  app.get(ROUTES.form, order.form)
  app.post(ROUTES.form, refuseCrossSite(), limitBody(), order.submit)
  app.get(ROUTES.complete, order.complete)
  for (const route of Object.values(ROUTES)) {
    const allow = allowedMethods(route)
    app.all(route, (c) => {
      const text = `${route} answers ${allow}. Please start from the shop.`
      return c.html(messagePage('That does not work here', text), 405, { Allow: allow })
    })
  }

  for (const asset of [STYLE, ICON]) {
    app.get(asset.path, (c) =>
      c.body(asset.body, 200, {
        'Content-Type': asset.contentType,
        'Cache-Control': `public, max-age=${ONE_YEAR_SECONDS}, immutable`,
      }),
    )
  }
  app.get('/healthz', (c) => c.text('ok\n'))
  app.get('/metrics', async (c) => {
    const { contentType, body } = await metrics.render(c.req.header('accept'))
    return c.body(body, 200, { 'Content-Type': contentType })
  })
  return app
}

/** A page that the browser shows again from its memory would be a form with a used token, or another's order. */
async function noStore(c: Context, next: () => Promise<void>) {
  await next()
  c.header('Cache-Control', 'no-store')
}
