export const UNIT_PRICE = 15
export const MIN_AMOUNT = 1
export const MAX_AMOUNT = 10_000

export type Order = {
  id: number
  customerEmail: string
  amount: number
  totalPrice: number
  isPrepaid: boolean
}

export type OrderRequest = {
  email: string
  amount: number
  isPaidNow: boolean
}

export function totalPrice(amount: number): number {
  return amount * UNIT_PRICE
}
