import { setTimeout as delay } from 'node:timers/promises'
import { assertRuns, openPositions, startBridge } from './bridge.ts'
import type { Sums } from './pipeline/orders.ts'
import { cpuSecondsOf, peakRssMiBOf } from './process.ts'
import type { Run } from './run.ts'

/** A way through takes seconds; this is for one that hangs. */
const RUN_TIMEOUT_MS = 180_000
/** How finely the end of the way is seen. */
const POLL_MS = 5

/**
 * A new bridge counts all `events` orders that are in Kafka: from the first durable commit to the last.
 *
 * @param onCounted called again and again on the way, with the events counted and the bridge's process id.
 */
export async function drainByBridge(
  brokers: string,
  events: number,
  onCounted: (counted: number, pid: number) => void = () => {},
): Promise<Run> {
  await using bridge = await startBridge(brokers)
  const pid = bridge.service.process.pid ?? 0
  using positions = await openPositions(bridge)
  const deadline = performance.now() + RUN_TIMEOUT_MS
  let first: { events: number; atMs: number; cpuSeconds: number } | undefined
  for (;;) {
    const counted = positions.counted()
    const atMs = performance.now()
    onCounted(counted, pid)
    if (counted > 0) first ??= { events: counted, atMs, cpuSeconds: cpuSecondsOf(pid) }
    if (first && counted >= events) {
      return {
        events: events - first.events,
        seconds: (atMs - first.atMs) / 1000,
        cpuSeconds: cpuSecondsOf(pid) - first.cpuSeconds,
        peakRssMiB: peakRssMiBOf(pid),
        sums: await sumsOf(bridge.url),
      }
    }
    assertRuns(bridge)
    if (atMs > deadline) throw new Error(`the bridge stands at ${counted} of ${events} events`)
    await delay(POLL_MS)
  }
}

/** The six sums as the counters show them. */
async function sumsOf(url: string): Promise<Sums> {
  const page = await (await fetch(`${url}/metrics`)).text()
  const value = (name: string, payment: string) =>
    Number(new RegExp(`^${name}\\{payment="${payment}"\\} (\\d+)`, 'm').exec(page)?.[1])
  const names = ['shop_orders_total', 'shop_ordered_units_total', 'shop_order_value_total']
  const paid = names.map((name) => value(name, 'prepaid'))
  const all = names.map((name, index) => value(name, 'credit') + (paid[index] ?? 0))
  return [...all, ...paid] as Sums
}
