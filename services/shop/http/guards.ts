import type { Context, MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { csrf } from 'hono/csrf'
import { messagePage } from '../pages/message.ts'
import { ROUTES } from './routes.ts'

const MAX_BODY_BYTES = 64 * 1_024
const BYTES_PER_KIB = 1_024

/** Our form is small; what is larger is none. */
export function limitBody(): MiddlewareHandler {
  const limit = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge })
  return (c, next) => {
    // Node reads no more than was announced; only a body of unknown length needs counting, which costs.
    const announced = c.req.header('transfer-encoding') ? undefined : c.req.header('content-length')
    const fits = announced !== undefined && Number(announced) <= MAX_BODY_BYTES
    return fits ? next() : limit(c, next)
  }
}

function tooLarge(c: Context) {
  const text = `An order form has at most ${MAX_BODY_BYTES / BYTES_PER_KIB} KiB, so nothing was ordered. Please fill in the form again.`
  const link = { href: ROUTES.form, text: 'To the form' }
  return c.html(messagePage('That is too much', text, link), 413)
}

/**
 * Refuses forms that another site's page sends from a customer's browser. Browsers say where a form comes
 * from; a client that says nothing (curl) acts for no one but itself.
 */
export function refuseCrossSite(): MiddlewareHandler {
  const check = csrf({ origin: (origin, c) => isOfHost(origin, c.req.header('host')) })
  return (c, next) =>
    c.req.header('origin') || c.req.header('sec-fetch-site') ? check(c, next) : next()
}

/** Not the whole origin: behind a proxy that speaks TLS, our own scheme is another. */
function isOfHost(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && new URL(origin).host === host
}
