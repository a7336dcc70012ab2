import type { Context } from 'hono'
import { getSignedCookie, setSignedCookie } from 'hono/cookie'
import { ROUTES } from './routes.ts'

const NAME = 'shop_order'

/** Remembers in the customer's browser which order is theirs; signed, so that no other can be named. */
export async function rememberOrder(c: Context, id: number, secret: string) {
  await setSignedCookie(c, NAME, String(id), secret, {
    path: ROUTES.complete,
    httpOnly: true,
    sameSite: 'Lax',
  })
}

/** The id of the customer's own last order; undefined without a cookie of ours. */
export async function rememberedOrder(c: Context, secret: string): Promise<number | undefined> {
  const value = await getSignedCookie(c, secret, NAME)
  return value && /^[0-9]{1,15}$/.test(value) ? Number(value) : undefined
}
