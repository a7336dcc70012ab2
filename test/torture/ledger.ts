/** What became of one order, as its client knows. */
export type PlacedOrder = {
  email: string
  amount: number
  paid: boolean
  /** `taken`: the shop said so. `refused`: it said that nothing was ordered. `unknown`: no answer came. */
  outcome: 'taken' | 'refused' | 'unknown'
  /** The id that the shop's page told, where it did. */
  id?: number
}

/** What the clients of the shop did and were told. Not knowing what became of a request is part of it. */
export class Ledger {
  readonly orders: PlacedOrder[] = []
  /** `route method` → requests that were sent. */
  readonly asked = new Map<string, number>()
  /** `route method status` → requests that were answered so. */
  readonly answered = new Map<string, number>()
  /** What no client should see. */
  readonly surprises: string[] = []

  sent(route: string, method: string) {
    add(this.asked, `${route} ${method}`)
  }

  received(route: string, method: string, status: number) {
    add(this.answered, `${route} ${method} ${status}`)
  }
}

/** Adds to one of many sums. */
export function add<Key>(sums: Map<Key, number>, key: Key, value = 1) {
  sums.set(key, (sums.get(key) ?? 0) + value)
}
