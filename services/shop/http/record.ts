import type { MiddlewareHandler } from 'hono'
import type { Metrics } from '../metrics.ts'
import { type RequestFacts, requestEvent } from '../outbox/events.ts'
import type { Outbox } from '../outbox/outbox.ts'
import type { Route } from './routes.ts'

/** `recorded`: the handler has stored the request itself, with what the request changed. */
export type Variables = { startedAt: number; recorded?: boolean }
export type ShopEnvironment = { Variables: Variables }

const MS_PER_SECOND = 1_000
const MICROSECONDS_PER_MS = 1_000

/**
 * Stores one event per request before the answer is sent, so that whoever has an answer is counted. The
 * event's duration ends where its storing begins; the histogram's includes it.
 */
export function recordRequests(
  route: Route,
  outbox: Outbox,
  metrics: Metrics,
): MiddlewareHandler<ShopEnvironment>[] {
  return [
    async (c, next) => {
      c.set('startedAt', performance.now())
      await next()
      const seconds = (performance.now() - c.get('startedAt')) / MS_PER_SECOND
      metrics.observe(route, c.req.method, c.res.status, seconds)
    },
    async (c, next) => {
      await next()
      if (c.get('recorded')) return
      const facts = requestFacts(route, c.req.method, c.res.status, c.get('startedAt'))
      await outbox.record(
        () => ({ result: undefined, events: [requestEvent(facts, Date.now())] }),
        'written',
      )
    },
  ]
}

export function requestFacts(
  route: Route,
  method: string,
  status: number,
  startedAt: number,
): RequestFacts {
  const durationMicroseconds = Math.round((performance.now() - startedAt) * MICROSECONDS_PER_MS)
  return { route, method, status, durationMicroseconds }
}
