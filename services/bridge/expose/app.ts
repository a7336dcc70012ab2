import { Hono } from 'hono'
import { html } from 'hono/html'
import { type Family, renderPage } from './family.ts'

/** `note`: what a person should know although it is ready. */
export type Readiness = { ready: true; note?: string } | { ready: false; why: string }

export type Exposed = {
  /** Everything for one page, of one moment; undefined until the state is loaded. */
  families(): Promise<Family[] | undefined>
  readiness(): Readiness
}

/** The bridge over HTTP: `/metrics`, `/healthz`, `/readyz`, and `/` for people. */
export function createApp({ families, readiness }: Exposed) {
  const app = new Hono()

  app.get('/metrics', async (context) => {
    const page = await families()
    if (!page) return context.text('The counters are not loaded yet; try again.\n', 503)
    const { contentType, body } = await renderPage(page, context.req.header('accept'))
    return context.body(body, 200, { 'content-type': contentType })
  })

  app.get('/healthz', (context) => context.text('ok\n'))

  app.get('/readyz', (context) => {
    const state = readiness()
    if (!state.ready) return context.text(`${state.why}\n`, 503)
    return context.text(state.note ? `ok; ${state.note}\n` : 'ok\n')
  })

  app.get('/', (context) => {
    const state = readiness()
    return context.html(html`<!doctype html>
      <html lang="en">
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>meterbridge</title>
        <h1>meterbridge</h1>
        <p>${state.ready ? 'Counting.' : state.why}</p>
        <p><a href="/metrics">Counters</a> · <a href="/readyz">Ready?</a> · <a href="/healthz">Alive?</a></p>
      </html>`)
  })

  return app
}
