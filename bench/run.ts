import type { Sums } from './pipeline/orders.ts'

/**
 * One way through the whole topic. The clock starts when the first batch is done, so that joining the group
 * and warming up count for nobody, and `events` are those behind it.
 */
export type Run = {
  events: number
  seconds: number
  cpuSeconds: number
  /** Over the whole life of the process. */
  peakRssMiB: number
  sums?: Sums
}
