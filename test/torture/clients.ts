import { setTimeout as delay } from 'node:timers/promises'
import type { Ledger, PlacedOrder } from './ledger.ts'

const TIMEOUT_MS = 3_000
const RETRY_MS = 100
/** Between two walks through the shop. */
const PAUSE_MS = 100
const MAX_AMOUNT = 20
const TOKEN = /name="form_token" value="([^"]+)"/
const ORDER_ID = /<dt>Order<\/dt><dd>(\d+)<\/dd>/

type Answer = { status: number; text: string; headers: Headers }

/** A customer at the shop at `url`, who keeps a ledger. */
export class Customer {
  readonly #url: string
  readonly #ledger: Ledger
  readonly #name: string
  #orders = 0

  constructor(url: string, ledger: Ledger, name: string) {
    this.#url = url
    this.#ledger = ledger
    this.#name = name
  }

  /** Walks through the shop again and again until `signal` aborts. @param patient as `order` takes it. */
  async walk(patient: boolean, signal: AbortSignal) {
    while (!signal.aborted) {
      await this.#request('GET', '/')
      await this.order(patient, signal)
      await delay(PAUSE_MS, undefined, { signal }).catch(() => {})
    }
  }

  /**
   * Orders something and looks at the details. A patient customer sends the form of the page until an answer
   * comes, which makes one order; another sends a form without token once.
   */
  async order(patient: boolean, signal: AbortSignal): Promise<PlacedOrder | undefined> {
    const token = patient ? await this.#token(signal) : ''
    if (token === undefined) return undefined
    const number = this.#orders++
    const order: PlacedOrder = {
      email: `${this.#name}-${number}@torture.example`,
      amount: 1 + (number % MAX_AMOUNT),
      paid: number % 3 > 0,
      outcome: 'unknown',
    }
    this.#ledger.orders.push(order)
    const form = {
      email: order.email,
      amount: String(order.amount),
      ...(order.paid && { is_paid_now: 'on' }),
      ...(token && { form_token: token }),
    }
    const answer = await this.#submit(form, patient)
    if (!answer) return order
    if (answer.status === 500) return Object.assign(order, { outcome: 'refused' })
    if (answer.status !== 303) return this.#surprise(`the order form: ${answer.status}`)
    order.outcome = 'taken'
    await this.#details(order, answer.headers)
    return order
  }

  async #token(signal: AbortSignal): Promise<string | undefined> {
    while (!signal.aborted) {
      const page = await this.#request('GET', '/order-new')
      if (page?.status === 200) return TOKEN.exec(page.text)?.[1]
      await delay(RETRY_MS)
    }
    return undefined
  }

  /** Patience has no end here: an order that might be placed must be known at the end. */
  async #submit(form: Record<string, string>, patient: boolean) {
    const body = new URLSearchParams(form).toString()
    let answer = await this.#request('POST', '/order-new', { body })
    while (patient && answer?.status !== 303 && (!answer || answer.status === 500)) {
      await delay(RETRY_MS)
      answer = await this.#request('POST', '/order-new', { body })
    }
    return answer
  }

  async #details(order: PlacedOrder, headers: Headers) {
    const cookie = headers.getSetCookie().map((line) => line.split(';')[0])
    const page = await this.#request('GET', '/order-new-complete', { cookie: cookie.join('; ') })
    if (page?.status !== 200) return
    const id = ORDER_ID.exec(page.text)?.[1]
    if (id && page.text.includes(order.email)) order.id = Number(id)
    else this.#surprise(`the details of ${order.email} are another order's`)
  }

  /** Undefined: no answer came, or not all of it. */
  async #request(
    method: string,
    route: string,
    { body, cookie }: { body?: string; cookie?: string } = {},
  ): Promise<Answer | undefined> {
    this.#ledger.sent(route, method)
    try {
      const response = await fetch(this.#url + route, {
        method,
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          ...(cookie && { cookie }),
          ...(body && { 'content-type': 'application/x-www-form-urlencoded' }),
        },
        ...(body && { body }),
      })
      const text = await response.text()
      this.#ledger.received(route, method, response.status)
      return { status: response.status, text, headers: response.headers }
    } catch {
      return undefined
    }
  }

  #surprise(what: string): undefined {
    this.#ledger.surprises.push(what)
  }
}
