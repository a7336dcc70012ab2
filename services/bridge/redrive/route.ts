import { type } from 'arktype'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { MAX_LETTERS, type Redriving } from './redrive.ts'
import { isAuthorized } from './token.ts'

const MAX_BODY_BYTES = 16_384

const Request = type({
  '+': 'reject',
  ids: type(`1 <= number.integer <= ${Number.MAX_SAFE_INTEGER}`)
    .array()
    .atLeastLength(1)
    .atMostLength(MAX_LETTERS),
})

/**
 * `POST {"ids":[1,2]}` drives these dead letters through again and answers `{"letters":[…]}`, an outcome for each.
 *
 * @param redriving undefined until the bridge counts.
 */
export function createRedriveRoute(token: string, redriving: () => Redriving | undefined) {
  const app = new Hono()

  app.use('/', async (context, next) => {
    if (context.req.method !== 'POST') {
      context.header('allow', 'POST')
      return context.text('Dead letters are redriven with POST.\n', 405)
    }
    if (!isAuthorized(context.req.header('authorization'), token)) {
      context.header('www-authenticate', 'Bearer')
      return context.text(
        'Send `Authorization: Bearer <token>`, with what the file token in the data folder says.\n',
        401,
      )
    }
    return next()
  })

  app.post('/', bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuse }), async (context) => {
    const body = Request(await context.req.json().catch(() => undefined))
    if (body instanceof type.errors) return refuse(context)
    const redrive = redriving()
    if (!redrive) return context.text('The bridge does not count yet; try again.\n', 503)
    return context.json({ letters: await redrive(body.ids) })
  })

  return app
}

function refuse(context: Context) {
  return context.text(
    `The body must be JSON such as {"ids":[1,2]}: 1 to ${MAX_LETTERS} ids of dead letters.\n`,
    400,
  )
}
