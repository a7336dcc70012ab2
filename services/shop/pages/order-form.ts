import { html } from 'hono/html'
import { ROUTES } from '../http/routes.ts'
import { type Field, isTicked, type Mistakes, type TypedForm } from '../order/form.ts'
import { MAX_AMOUNT, MIN_AMOUNT, UNIT_PRICE } from '../order/order.ts'
import { page } from './layout.ts'

/** The form with what was typed; each mistake stands beside its field and once more at the top. */
export function orderFormPage(typed: TypedForm, mistakes: Mistakes, formToken: string) {
  const wrong = Object.entries(mistakes) as [Field, string][]
  return page(
    wrong.length > 0 ? 'Please correct your order' : 'New order',
    html`
      <h1>New order</h1>
      ${wrong.length > 0 ? summary(wrong) : ''}
      <form method="post" action="${ROUTES.form}" novalidate>
        <input type="hidden" name="form_token" value="${formToken}">
        <div class="field">
          <label for="email">E-mail</label>
          ${note('email', mistakes)}
          <input type="email" id="email" name="email" value="${typed.email}" autocomplete="email" required ${described('email', mistakes)}>
        </div>
        <div class="field">
          <label for="amount">Amount</label>
          <p class="hint" id="amount-hint">${UNIT_PRICE} a piece, ${MIN_AMOUNT} to ${MAX_AMOUNT.toLocaleString('en')} pieces</p>
          ${note('amount', mistakes)}
          <input type="text" inputmode="numeric" id="amount" name="amount" value="${typed.amount}" autocomplete="off" required ${described('amount', mistakes, 'amount-hint')}>
        </div>
        <div class="field">
          ${note('is_paid_now', mistakes)}
          <label class="choice"><input type="checkbox" id="is_paid_now" name="is_paid_now" value="true" ${isTicked(typed.is_paid_now) ? 'checked' : ''} ${described('is_paid_now', mistakes)}>Pay now</label>
          <p class="hint">Not ticked, the order is on credit.</p>
        </div>
        <button class="button" type="submit">Order</button>
      </form>
    `,
  )
}

function summary(wrong: [Field, string][]) {
  return html`<div class="summary" role="alert">
        <p>The order is not placed yet:</p>
        <ul>${wrong.map(([field, text]) => html`<li><a href="#${field}">${text}</a></li>`)}</ul>
      </div>`
}

function note(field: Field, mistakes: Mistakes) {
  const text = mistakes[field]
  return text ? html`<p class="mistake" id="${field}-mistake">${text}</p>` : ''
}

/** Ties a field to its hint and mistake for those who hear the page. */
function described(field: Field, mistakes: Mistakes, hint?: string) {
  const wrong = mistakes[field] !== undefined
  const ids = [hint, wrong && `${field}-mistake`].filter(Boolean).join(' ')
  const description = ids && html`aria-describedby="${ids}"`
  return wrong ? html`${description} aria-invalid="true"` : description
}
