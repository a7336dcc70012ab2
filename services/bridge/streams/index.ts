import { orders } from './orders.ts'
import { requests } from './requests.ts'

export { type Declaration, declarationsOf } from './declare.ts'
export type { Column, Label, Measure, StreamDefinition } from './define.ts'
export { VALUE_BOUND } from './define.ts'

/** Every stream that the bridge counts. */
export const streams = [requests, orders]
