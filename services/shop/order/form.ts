import { type } from 'arktype'
import { MAX_AMOUNT, MIN_AMOUNT, type OrderRequest } from './order.ts'

/** What was typed, as it goes back into the form. */
export type TypedForm = { email: string; amount: string; is_paid_now: string }
export type Field = keyof TypedForm
export type Mistakes = Partial<Record<Field, string>>

export const EMPTY_FORM: TypedForm = { email: '', amount: '', is_paid_now: '' }
const FIELDS = Object.keys(EMPTY_FORM) as Field[]

/** RFC 5321, 4.5.3.1.3: a path has 256 characters at most, two of which are its brackets. */
const MAX_EMAIL_LENGTH = 254
const MAX_LOCAL_PART_LENGTH = 64
/** U+FFFD stands for bytes that were no text. */
const LOCAL_PART = /^[^\s@<>()[\],;:"\\\p{C}\uFFFD]+$/u
const DOMAIN_LABEL = /^[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?$/u
const YES = ['on', 'true', '1', 'yes', 'y']
const NO = ['', 'off', 'false', '0', 'no', 'n']

const range = `a whole number from ${MIN_AMOUNT} to ${MAX_AMOUNT.toLocaleString('en')}`
const email = type('string.trim').narrow((text, context) => {
  if (text === '') return context.reject({ message: 'Enter your e-mail address.' })
  if (text.length > MAX_EMAIL_LENGTH)
    return context.reject({
      message: `An e-mail address has at most ${MAX_EMAIL_LENGTH} characters; this has ${text.length}.`,
    })
  const local = localPartOf(text)
  if (local.length > MAX_LOCAL_PART_LENGTH)
    return context.reject({
      message: `The part before the @ has at most ${MAX_LOCAL_PART_LENGTH} characters; this has ${local.length}.`,
    })
  if (/^\.|\.$/.test(local))
    return context.reject({ message: 'The part before the @ neither starts nor ends with a dot.' })
  return (
    isEmail(text) ||
    context.reject({ message: 'Enter an e-mail address like name@example.com, without spaces.' })
  )
})
const amount = type('string.trim').pipe((text, context) => {
  if (text === '') return context.error({ message: `Enter how many you want: ${range}.` })
  const number = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN
  if (number >= MIN_AMOUNT && number <= MAX_AMOUNT) return number
  if (number > MAX_AMOUNT)
    return context.error({ message: `That is too many for one order; enter ${range}.` })
  return context.error({ message: `Enter ${range}, in plain digits.` })
})
const isPaidNow = type('string.trim').pipe((text, context) => {
  if (YES.includes(text.toLowerCase())) return true
  if (NO.includes(text.toLowerCase())) return false
  return context.error({ message: 'Tick the box to pay now, or leave it empty to pay later.' })
})
const orderForm = type({ email, amount, is_paid_now: isPaidNow })

/** The order that was typed, or every mistake with the field it was made in. */
export function readOrderForm(typed: TypedForm): { order: OrderRequest } | { mistakes: Mistakes } {
  const result = orderForm(typed)
  if (result instanceof type.errors) {
    const mistakes: Mistakes = {}
    for (const field of FIELDS) {
      const error = result.flatByPath[field]?.[0]
      if (error) mistakes[field] = error.message
    }
    return { mistakes }
  }
  return {
    order: { email: result.email, amount: result.amount, isPaidNow: result.is_paid_now },
  }
}

/** Whether what was typed means that the box is ticked. */
export function isTicked(typed: string): boolean {
  return !NO.includes(typed.trim().toLowerCase())
}

/** Empty where there is no @. */
function localPartOf(text: string): string {
  return text.slice(0, Math.max(text.lastIndexOf('@'), 0))
}

function isEmail(text: string): boolean {
  const labels = text.slice(text.lastIndexOf('@') + 1).split('.')
  return (
    LOCAL_PART.test(localPartOf(text)) &&
    labels.length > 1 &&
    labels.every((label) => DOMAIN_LABEL.test(label))
  )
}
