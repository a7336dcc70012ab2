import { html } from 'hono/html'
import { ICON, STYLE } from './assets.ts'

export type Html = ReturnType<typeof html>

/** A whole page; `body` goes into its main part. */
export function page(title: string, body: Html): Html {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title} · The shop</title>
    <link rel="stylesheet" href="${STYLE.path}">
    <link rel="icon" href="${ICON.path}">
  </head>
  <body>
    <header><a class="name" href="/">The shop</a></header>
    <main>${body}</main>
  </body>
</html>
`
}
