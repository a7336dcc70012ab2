import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { HEADERS } from '../../services/kafka/headers.ts'
import { encodeBatch } from '../bridge/record-batch.ts'
import { produce, withAdmin } from '../broker/clients.ts'
import { kcat } from '../broker/kcat.ts'
import { produceRaw } from '../broker/raw.ts'
import { freePort } from '../harness/ports.ts'
import { startService, untilOk } from '../harness/service.ts'
import { until } from '../harness/until.ts'
import { type RunningBridge, startBridge } from './running-bridge.ts'

/** Each test has a bridge of its own that starts at the end of the topics, which they all share. */
const FROM_NOW = { METERBRIDGE_START_FROM: 'latest' }
const ACCEPTED = { result: 'accepted' }
const REJECTED = { result: 'rejected' }

export const order = (id: number, amount = 1, paid = true) =>
  JSON.stringify({
    order_id: id,
    order_amount: amount,
    order_total_price: amount * 15,
    is_paid: paid,
  })

/** What a person gets from shop or Kafka client to counter and file, whichever broker stands between. */
export function pipelineContract(name: string, brokers: string, skip: string | false = false) {
  describe(`${name}: from event to counter and row`, { skip }, () => {
    test('an order walked through the shop is 4 requests and 1 order', async () => {
      await using bridge = await startBridge(brokers, FROM_NOW)
      const address = `127.0.0.1:${await freePort()}`
      await using shop = startService('services/shop/main.ts', {
        KAFKA_BROKERS: brokers,
        METERBRIDGE_DATA_DIR: bridge.dataDir,
        METERBRIDGE_SHOP_LISTEN: address,
      })
      await untilOk(shop, `http://${address}/healthz`)
      await walk(`http://${address}`)
      await bridge.shows('web_requests_total', {}, 4)
      await bridge.shows('shop_orders_total', { payment: 'prepaid' }, 1)
      await bridge.shows('shop_ordered_units_total', { payment: 'prepaid' }, 3)
      await bridge.shows('shop_order_value_total', { payment: 'prepaid' }, 45)
      assert.equal(
        await bridge.value('web_requests_total', {
          route: '/order-new',
          method: 'POST',
          code: '303',
        }),
        1,
      )
    })

    test("the article's messages, written by kcat, stand in the minute in which they happened", async () => {
      await using bridge = await startBridge(brokers, FROM_NOW)
      const time = `${HEADERS.time}=${Date.UTC(2026, 0, 2, 3, 4, 5)}`
      await kcat(brokers, ['-P', '-t', 'web_requests', '-H', time], Buffer.from('1\n'.repeat(7)))
      const orders = Buffer.from(`${order(1, 2)}\n${order(2, 5, false)}\n`)
      await kcat(brokers, ['-P', '-t', 'new_orders', '-H', time, '-z', 'gzip'], orders)
      const unknown = { route: 'unknown', method: 'unknown', code: 'unknown' }
      await bridge.shows('web_requests_total', unknown, 7)
      await bridge.shows('shop_orders_total', {}, 2)
      await until('the rows are in the files', () => {
        assert.deepEqual(bridge.rows('requests', '2026-01-02'), ['2026-01-02 03:04:00,7'])
        assert.deepEqual(bridge.rows('orders', '2026-01-02'), [
          '2026-01-02 03:04:00,2,7,105,1,2,30',
        ])
        return true
      })
    })

    test('a bad record is a dead letter with its reason, and harms no neighbour', async () => {
      await using bridge = await startBridge(brokers, FROM_NOW)
      const messages = BAD_ORDERS.flatMap(([, value], i) => [
        { value, partition: 0 },
        { value: order(i), partition: 0 },
      ])
      await produce(brokers, 'new_orders', messages)
      await bridge.shows(
        'meterbridge_records_total',
        { ...REJECTED, topic: 'new_orders' },
        BAD_ORDERS.length,
      )
      await bridge.shows('shop_orders_total', {}, BAD_ORDERS.length)
      for (const [reason, list] of Map.groupBy(BAD_ORDERS, ([reason]) => reason)) {
        await bridge.shows(
          'meterbridge_rejected_records_total',
          { reason, topic: 'new_orders' },
          list.length,
        )
      }
      assert.match(bridge.service().output(), /new_orders\/0@\d+: /)
    })

    test('a value of 10 MiB is no event and stops nothing', async () => {
      await using bridge = await startBridge(brokers, FROM_NOW)
      await produce(brokers, 'new_orders', [{ value: 'x'.repeat(10 * 1024 * 1024) }])
      await produce(brokers, 'new_orders', [{ value: order(1) }])
      await bridge.shows('meterbridge_rejected_records_total', { reason: 'json' }, 1)
      await bridge.shows('shop_orders_total', {}, 1)
    })

    test('a batch of 130,000 records is counted', async () => {
      await using bridge = await startBridge(brokers, FROM_NOW)
      const records = Array.from({ length: 130_000 }, () => ({ value: '1' }))
      assert.equal((await produceRaw(brokers, 'web_requests', encodeBatch({ records }))).error, 0)
      await bridge.shows('web_requests_total', {}, 130_000)
    })

    test('events of 1970 and of next year are counted, and their minutes are not published', async () => {
      await using bridge = await startBridge(brokers, FROM_NOW)
      const nextYear = Date.now() + 365 * 86_400_000
      await produce(
        brokers,
        'web_requests',
        [0, nextYear].map((ms) => ({ value: '1', headers: { [HEADERS.time]: String(ms) } })),
      )
      await bridge.shows('web_requests_total', {}, 2)
      await bridge.shows('meterbridge_too_late_events_total', { stream: 'requests' }, 1)
      await bridge.shows('meterbridge_future_events_total', { stream: 'requests' }, 1)
      const date = new Date(nextYear).toISOString().slice(0, 10)
      assert.throws(() => bridge.rows('requests', '1970-01-01'), /ENOENT/)
      assert.throws(() => bridge.rows('requests', date), /ENOENT/)
    })

    test('kill -9 in the middle: nothing is lost or doubled, and no counter goes back', async () => {
      await using bridge = await startBridge(brokers, FROM_NOW)
      const seen: number[] = []
      let sent = 0
      for (let round = 0; round < 2; round++) {
        const producing = produceOrders(brokers, 4_000)
        await until('some of it is counted', async () => {
          seen.push(await bridge.value('shop_orders_total'))
          return seen.at(-1)! > sent
        })
        await bridge.kill9()
        await producing
        sent += 4_000
        await bridge.restart()
      }
      await bridge.shows('shop_orders_total', {}, sent)
      seen.push(await bridge.value('shop_orders_total'))
      assert.deepEqual(
        seen,
        seen.toSorted((a, b) => a - b),
      )
      assert.equal(
        await bridge.value('meterbridge_records_total', { ...ACCEPTED, topic: 'new_orders' }),
        sent,
      )
      await accountingHolds(bridge)
    })

    test('SIGTERM stops within 10 s with exit code 0, and the counters go on afterwards', async () => {
      await using bridge = await startBridge(brokers, FROM_NOW)
      await produce(brokers, 'web_requests', [{ value: '1' }])
      await bridge.shows('web_requests_total', {}, 1)
      const started = performance.now()
      assert.equal(await bridge.service().end('SIGTERM'), 0, bridge.service().output())
      assert.ok(performance.now() - started < 10_000)
      await produce(brokers, 'web_requests', [{ value: '1' }])
      await bridge.restart()
      await bridge.shows('web_requests_total', {}, 2)
    })
  })
}

/** As a browser does it: start page, form, order, details. */
async function walk(shop: string) {
  await fetch(`${shop}/`)
  await fetch(`${shop}/order-new`)
  const answer = await fetch(`${shop}/order-new`, {
    method: 'POST',
    body: new URLSearchParams({ email: 'ada@example.org', amount: '3', is_paid_now: 'on' }),
    headers: { origin: shop },
    redirect: 'manual',
  })
  assert.equal(answer.status, 303, await answer.text())
  const cookie = answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  const details = await fetch(new URL(answer.headers.get('location')!, shop), {
    headers: { cookie },
  })
  assert.match(await details.text(), /ada@example\.org/)
}

async function produceOrders(brokers: string, count: number) {
  for (let at = 0; at < count; at += 200) {
    const messages = Array.from({ length: 200 }, (_, i) => ({ value: order(at + i) }))
    await produce(brokers, 'new_orders', messages)
  }
}

/** Position minus start is what became of the records: here all tests start behind what the others wrote. */
async function accountingHolds(bridge: RunningBridge) {
  const { default: Database } = await import('better-sqlite3')
  const database = new Database(`${bridge.dataDir}/bridge/bridge.db`, { readonly: true })
  const wrong = database
    .prepare(
      'select * from partitions where position - start <> accepted + rejected + duplicate + undelivered + skipped',
    )
    .all()
  database.close()
  assert.deepEqual(wrong, [])
}

/** Makes partitions 0 to `partitions - 1` of both topics, which must not exist. */
export async function createTopics(brokers: string, partitions: number) {
  await withAdmin(brokers, (admin) =>
    admin.createTopics({
      topics: ['web_requests', 'new_orders'].map((topic) => ({ topic, numPartitions: partitions })),
    }),
  )
}

const WITHOUT_AMOUNT = '{"order_id":1,"order_total_price":15,"is_paid":true}'
const withAmount = (amount: string) =>
  `{"order_id":1,"order_amount":${amount},"order_total_price":15,"is_paid":true}`

const BAD_ORDERS: [reason: string, value: string | Buffer | null][] = [
  ['json', 'not JSON'],
  ['json', 'NaN'],
  ['json', withAmount('NaN')],
  ['schema', 'null'],
  ['schema', '[]'],
  ['schema', '"1"'],
  ['schema', '1.5'],
  ['schema', '{}'],
  ['schema', WITHOUT_AMOUNT],
  ['schema', withAmount('"1"')],
  ['schema', withAmount('1.5')],
  ['range', withAmount('-1')],
  ['range', withAmount('0')],
  ['range', withAmount(String(2 ** 53))],
  ['empty', ''],
  ['tombstone', null],
  ['encoding', Buffer.from([0xff, 0xfe, 0x31])],
]
