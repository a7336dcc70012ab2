import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { produce } from '../broker/clients.ts'
import { until } from '../harness/until.ts'
import { assertAccounted } from './accounting.ts'
import { startBridge } from './running-bridge.ts'
import { order } from './topics.ts'

const ORDERS_PER_ROUND = 4_000
const STOP_LIMIT_MS = 10_000
/** The first round waits for the session of the one that was killed; the second shows that no group is needed. */
const ROUNDS = [{}, { KAFKA_GROUP_ID: 'another-group' }]

/** What stays counted when a bridge ends, whichever broker there is. Nobody else may write to `new_orders`. */
export function restartContract(brokers: string) {
  describe('when the bridge ends and starts again', { concurrency: 1 }, () => {
    test('kill -9 in the middle: nothing is lost or doubled, and no counter goes back', async () => {
      await produce(brokers, 'new_orders', [{ value: order(1) }])
      await using bridge = await startBridge(brokers, { METERBRIDGE_START_FROM: 'latest' })
      const seen: number[] = []
      let sent = 0
      for (const environment of ROUNDS) {
        const producing = produceOrders(brokers)
        await until('some of it is counted', async () => {
          seen.push(await bridge.value('shop_orders_total'))
          return seen.at(-1)! > sent
        })
        await bridge.kill9()
        await producing
        sent += ORDERS_PER_ROUND
        await bridge.restart(environment)
      }
      await bridge.shows('shop_orders_total', {}, sent)
      seen.push(await bridge.value('shop_orders_total'))
      assert.deepEqual(
        seen,
        seen.toSorted((a, b) => a - b),
      )
      const accepted = { result: 'accepted', topic: 'new_orders' }
      assert.equal(await bridge.value('meterbridge_records_total', accepted), sent)
      assertAccounted(bridge)
    })

    test('SIGTERM stops within 10 s with exit code 0, and the counters go on afterwards', async () => {
      await using bridge = await startBridge(brokers, { METERBRIDGE_START_FROM: 'latest' })
      await produce(brokers, 'new_orders', [{ value: order(1) }])
      await bridge.shows('shop_orders_total', {}, 1)
      const started = performance.now()
      assert.equal(await bridge.service().end('SIGTERM'), 0, bridge.service().output())
      assert.ok(performance.now() - started < STOP_LIMIT_MS)
      await produce(brokers, 'new_orders', [{ value: order(1) }])
      await bridge.restart()
      await bridge.shows('shop_orders_total', {}, 2)
    })
  })
}

async function produceOrders(brokers: string) {
  for (let at = 0; at < ORDERS_PER_ROUND; at += 200) {
    const messages = Array.from({ length: 200 }, (_, i) => ({ value: order(at + i) }))
    await produce(brokers, 'new_orders', messages)
  }
}
