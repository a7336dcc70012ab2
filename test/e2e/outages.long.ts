import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { produce } from '../broker/clients.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { freePort } from '../harness/ports.ts'
import { startService, untilOk } from '../harness/service.ts'
import { until } from '../harness/until.ts'
import { missingForKafka, startKafka } from '../kafka/kafka.ts'
import { samplesOf } from '../prometheus/page.ts'
import { startBridge } from './running-bridge.ts'
import { createTopics, order } from './topics.ts'

const KILLS = 5
/** Within 10 s on a machine that has nothing else to do; where a start alone takes that long, this tells it from a hang. */
const AFTER_KILL_MS = 25_000
const AFTER_OUTAGE_MS = 15_000
/** 60 s of patience, a new connection, 60 s more. */
const GIVEN_UP_MS = 180_000

const skip = missingForKafka() ?? false
const kafka = skip ? undefined : await startKafka()
after(() => kafka?.stop())
if (kafka) await createTopics(kafka.brokers, 2)

const oneOrder = () => produce(kafka!.brokers, 'new_orders', [{ value: order(1) }])

describe('what takes minutes', { skip, concurrency: 1 }, () => {
  test(`counting again soon after the bridge's kill -9, ${KILLS} times`, async (context) => {
    await using bridge = await startBridge(kafka!.brokers, { METERBRIDGE_START_FROM: 'latest' })
    await oneOrder()
    await bridge.shows('shop_orders_total', {}, 1)
    for (let kill = 1; kill <= KILLS; kill++) {
      await bridge.kill9()
      const killedMs = performance.now()
      await oneOrder()
      await bridge.restart()
      await bridge.shows('shop_orders_total', {}, 1 + kill)
      const tookMs = performance.now() - killedMs
      context.diagnostic(`counting again after ${Math.round(tookMs)} ms`)
      assert.ok(tookMs < AFTER_KILL_MS, `counting again after ${tookMs} ms`)
    }
  })

  test('Kafka hangs for minutes: the bridge gives up, `npm start` starts it again, the shop sells on, and counting goes on', async () => {
    using folder = temporaryFolder()
    const [shop, bridge] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
    await using started = startService('services/start/main.ts', {
      KAFKA_BROKERS: kafka!.brokers,
      METERBRIDGE_DATA_DIR: folder.path,
      METERBRIDGE_SHOP_LISTEN: shop,
      METERBRIDGE_LISTEN: bridge,
    })
    const orders = async () => {
      const page = await (await fetch(`http://${bridge}/metrics`)).text()
      const found = samplesOf(page).filter(({ labels }) => labels.__name__ === 'shop_orders_total')
      return found.reduce((sum, { value }) => sum + value, 0)
    }
    const says = (sentence: RegExp) =>
      until(`it says ${sentence}`, () => sentence.test(started.output()), GIVEN_UP_MS)
    await untilOk(started, `http://${bridge}/readyz`)
    const before = await orders()
    process.kill(kafka!.pid, 'SIGSTOP')
    try {
      await says(
        /^start: bridge: Kafka has not told .*, and connecting anew did not help; start again; starting it again in 1 s$/m,
      )
      await says(/^start: bridge: cannot reach Kafka .*; starting it again in 2 s$/m)
      assert.ok((await fetch(`http://${shop}/healthz`)).ok)
    } finally {
      process.kill(kafka!.pid, 'SIGCONT')
    }
    const backMs = performance.now()
    await oneOrder()
    await until('the order is counted', async () => (await orders()) > before, GIVEN_UP_MS)
    const tookMs = performance.now() - backMs
    assert.ok(tookMs < AFTER_OUTAGE_MS, `counting again after ${tookMs} ms\n${started.output()}`)
    assert.equal(await started.end(), 0)
  })
})
