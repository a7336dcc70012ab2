import { createHash } from 'node:crypto'
import { eq, sql } from 'drizzle-orm'
import type { ShopDatabase } from '../database/open.ts'
import { orderForms, orders } from '../database/schema.ts'
import { orderEvent, type RequestFacts, requestEvent } from '../outbox/events.ts'
import type { Outbox } from '../outbox/outbox.ts'
import { type Order, type OrderRequest, totalPrice } from './order.ts'

/** The shop's orders. What is placed is on the disk, with its events, before anyone is told. */
export class Orders {
  readonly #outbox: Outbox
  readonly #find
  readonly #findByForm
  readonly #insert
  readonly #insertForm

  constructor(database: ShopDatabase, outbox: Outbox) {
    this.#outbox = outbox
    this.#find = database
      .select()
      .from(orders)
      .where(eq(orders.id, sql.placeholder('id')))
      .prepare()
    this.#findByForm = database
      .select({ orderId: orderForms.orderId })
      .from(orderForms)
      .where(eq(orderForms.token, sql.placeholder('token')))
      .prepare()
    this.#insert = database
      .insert(orders)
      .values({
        customerEmail: sql.placeholder('customerEmail'),
        amount: sql.placeholder('amount'),
        totalPrice: sql.placeholder('totalPrice'),
        isPrepaid: sql.placeholder('isPrepaid'),
        createdAt: sql.placeholder('createdAt'),
      })
      .prepare()
    this.#insertForm = database
      .insert(orderForms)
      .values({ token: sql.placeholder('token'), orderId: sql.placeholder('orderId') })
      .prepare()
  }

  find(id: number): Order | undefined {
    return this.#find.get({ id })
  }

  /**
   * Places an order and resolves with its id. The HTTP request that asked for it is recorded in the same
   * transaction. A form that was sent before as it is makes no second order: the id is the first one's. One that
   * was changed since (by going back to it) is an order of its own.
   *
   * @param formToken undefined: nothing to tell a repetition by, so it is an order of its own.
   * @param now milliseconds since 1970.
   */
  place(
    request: OrderRequest,
    formToken: string | undefined,
    facts: RequestFacts,
    now: number,
  ): Promise<number> {
    return this.#outbox.record(() => {
      const asked = requestEvent(facts, now)
      const token = formToken && sentForm(formToken, request)
      const before = token && this.#findByForm.get({ token })
      if (before) return { result: before.orderId, events: [asked] }
      const order = this.#store(request, now)
      if (token) this.#insertForm.run({ token, orderId: order.id })
      return { result: order.id, events: [orderEvent(order, now), asked] }
    }, 'synced')
  }

  #store({ email, amount, isPaidNow }: OrderRequest, now: number): Order {
    const order = {
      customerEmail: email,
      amount,
      totalPrice: totalPrice(amount),
      isPrepaid: isPaidNow,
    }
    const { lastInsertRowid } = this.#insert.run({ ...order, createdAt: new Date(now) })
    return { id: Number(lastInsertRowid), ...order }
  }
}

/** Names a form with what was typed into it. */
function sentForm(formToken: string, { email, amount, isPaidNow }: OrderRequest): string {
  const content = JSON.stringify([formToken, email, amount, isPaidNow])
  return createHash('sha256').update(content).digest('hex')
}
