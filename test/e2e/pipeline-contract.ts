import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HEADERS } from '../../services/kafka/headers.ts'
import { encodeBatch } from '../bridge/record-batch.ts'
import { produce } from '../broker/clients.ts'
import { kcat } from '../broker/kcat.ts'
import { produceRaw } from '../broker/raw.ts'
import { freePort } from '../harness/ports.ts'
import { startService, untilOk } from '../harness/service.ts'
import { until } from '../harness/until.ts'
import { assertAccounted } from './accounting.ts'
import type { RunningBridge } from './running-bridge.ts'
import { order } from './topics.ts'

/**
 * What a person gets from shop or Kafka client to counter and file, whichever broker stands between. The tests run
 * one after the other and share `bridge`, which reads the topics at `brokers`.
 */
export function pipelineContract(brokers: string, bridge: () => RunningBridge) {
  test('an order walked through the shop is 4 requests and 1 order', async () => {
    const counts = await bridge().fromNow()
    const address = `127.0.0.1:${await freePort()}`
    await using shop = startService('services/shop/main.ts', {
      KAFKA_BROKERS: brokers,
      METERBRIDGE_DATA_DIR: bridge().dataDir,
      METERBRIDGE_SHOP_LISTEN: address,
    })
    await untilOk(shop, `http://${address}/healthz`)
    await walk(`http://${address}`)
    await counts.shows('web_requests_total', {}, 4)
    await counts.shows('shop_orders_total', { payment: 'prepaid' }, 1)
    await counts.shows('shop_ordered_units_total', { payment: 'prepaid' }, 3)
    await counts.shows('shop_order_value_total', { payment: 'prepaid' }, 45)
    assert.equal(
      await counts.value('web_requests_total', {
        route: '/order-new',
        method: 'POST',
        code: '303',
      }),
      1,
    )
  })

  test("the article's messages, written by kcat, stand in the minute in which they happened", async () => {
    const counts = await bridge().fromNow()
    const time = `${HEADERS.time}=${Date.UTC(2026, 0, 2, 3, 4, 5)}`
    await kcat(brokers, ['-P', '-t', 'web_requests', '-H', time], Buffer.from('1\n'.repeat(7)))
    const orders = Buffer.from(`${order(1, 2)}\n${order(2, 5, false)}\n`)
    await kcat(brokers, ['-P', '-t', 'new_orders', '-H', time, '-z', 'gzip'], orders)
    const unknown = { route: 'unknown', method: 'unknown', code: 'unknown' }
    await counts.shows('web_requests_total', unknown, 7)
    await counts.shows('shop_orders_total', {}, 2)
    await until('the rows are in the files', () => {
      assert.deepEqual(bridge().rows('requests', '2026-01-02'), ['2026-01-02 03:04:00,7'])
      assert.deepEqual(bridge().rows('orders', '2026-01-02'), [
        '2026-01-02 03:04:00,2,7,105,1,2,30',
      ])
      return true
    })
  })

  test('a bad record is a dead letter with its reason, and harms no neighbour', async () => {
    const counts = await bridge().fromNow()
    const messages = BAD_ORDERS.flatMap(([, value], i) => [
      { value, partition: 0 },
      { value: order(i), partition: 0 },
    ])
    await produce(brokers, 'new_orders', messages)
    await counts.shows(
      'meterbridge_records_total',
      { result: 'rejected', topic: 'new_orders' },
      BAD_ORDERS.length,
    )
    await counts.shows('shop_orders_total', {}, BAD_ORDERS.length)
    for (const [reason, list] of Map.groupBy(BAD_ORDERS, ([reason]) => reason)) {
      await counts.shows(
        'meterbridge_rejected_records_total',
        { reason, topic: 'new_orders' },
        list.length,
      )
    }
    assert.match(bridge().service().output(), /new_orders\/0@\d+: /)
  })

  test('a value of 10 MiB is no event and stops nothing', async () => {
    const counts = await bridge().fromNow()
    await produce(brokers, 'new_orders', [{ value: 'x'.repeat(10 * 1024 * 1024) }])
    await produce(brokers, 'new_orders', [{ value: order(1) }])
    await counts.shows('meterbridge_rejected_records_total', { reason: 'json' }, 1)
    await counts.shows('shop_orders_total', {}, 1)
  })

  test('a batch of 130,000 records is counted', async () => {
    const counts = await bridge().fromNow()
    const records = Array.from({ length: 130_000 }, () => ({ value: '1' }))
    assert.equal((await produceRaw(brokers, 'web_requests', encodeBatch({ records }))).error, 0)
    await counts.shows('web_requests_total', {}, 130_000)
  })

  test('events of 1970 and of next year are counted, and their minutes are not published', async () => {
    const counts = await bridge().fromNow()
    const nextYear = Date.now() + 365 * 86_400_000
    const usual = Date.UTC(2026, 0, 3, 4, 5)
    await produce(
      brokers,
      'web_requests',
      [0, nextYear, usual].map((ms) => ({ value: '1', headers: { [HEADERS.time]: String(ms) } })),
    )
    await counts.shows('web_requests_total', {}, 3)
    await counts.shows('meterbridge_too_late_events_total', { stream: 'requests' }, 1)
    await counts.shows('meterbridge_future_events_total', { stream: 'requests' }, 1)
    await until('the minute of the third is published', () =>
      bridge().rows('requests', '2026-01-03').includes('2026-01-03 04:05:00,1'),
    )
    const date = new Date(nextYear).toISOString().slice(0, 10)
    assert.throws(() => bridge().rows('requests', '1970-01-01'), /ENOENT/)
    assert.throws(() => bridge().rows('requests', date), /ENOENT/)
  })

  test('after all of it every offset is accounted for', () => assertAccounted(bridge()))
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
