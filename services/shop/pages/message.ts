import { html } from 'hono/html'
import { page } from './layout.ts'

/** A page that says what went wrong and what to do, with one way on. */
export function messagePage(
  title: string,
  text: string,
  link: { href: string; text: string } = { href: '/', text: 'To the shop' },
) {
  return page(
    title,
    html`
      <h1>${title}</h1>
      <p>${text}</p>
      <a class="button" href="${link.href}">${link.text}</a>
    `,
  )
}
