import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import kafkajs from 'kafkajs'
import { type RunningBridge, startBridge } from '../e2e/running-bridge.ts'
import { freePort } from '../harness/ports.ts'
import { startService, untilOk } from '../harness/service.ts'
import { until } from '../harness/until.ts'
import { createClock, missingForClock } from '../torture/clock.ts'
import { type Cluster, createTopics, withAdmin } from './clusters.ts'
import { numberOf, readTopic } from './records.ts'
import { GOOD_FORM } from './shop.ts'

const BELOW_ANY_ORDER = '100'
const ENOUGH = '1000000'
const TWO_HOURS_MS = 7_200_000
const ORDERS = 'shop_orders_total'

/** `outbox` of the command line beside a shop and a bridge, each its own process. */
export function commandTests(cluster: () => Cluster) {
  const startShop = async (dataDir: string, environment: Record<string, string> = {}) => {
    const url = `http://127.0.0.1:${await freePort()}`
    const service = startService('services/shop/main.ts', {
      KAFKA_BROKERS: cluster().brokers,
      METERBRIDGE_DATA_DIR: dataDir,
      METERBRIDGE_SHOP_LISTEN: url.slice('http://'.length),
      ...environment,
    })
    await untilOk(service, `${url}/healthz`)
    const order = async () => {
      const body = new URLSearchParams(GOOD_FORM)
      const form = { method: 'POST', body, redirect: 'manual' } as const
      assert.equal((await fetch(`${url}/order-new`, form)).status, 303)
    }
    const shows = (metric: string, value: number) =>
      until(`${metric} is ${value}`, async () =>
        (await (await fetch(`${url}/metrics`)).text()).includes(`\n${metric} ${value}\n`),
      )
    return { service, order, shows, [Symbol.asyncDispose]: () => service[Symbol.asyncDispose]() }
  }
  const command = async ({ dataDir }: RunningBridge, ...args: string[]) => {
    const environment = { METERBRIDGE_DATA_DIR: dataDir }
    await using service = startService('services/commands/main.ts', environment, [
      'outbox',
      ...args,
    ])
    return { code: await service.exited, output: service.output() }
  }
  const limitOrders = (bytes: string) =>
    withAdmin(cluster().brokers, (admin) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: 'new_orders',
            configEntries: [{ name: 'max.message.bytes', value: bytes }],
          },
        ],
      }),
    )

  test("an event that Kafka refused is counted once after the topic's limit was raised and it was resent", async () => {
    await createTopics(cluster().brokers, ['web_requests', 'new_orders'])
    await limitOrders(BELOW_ANY_ORDER)
    await using bridge = await startBridge(cluster().brokers)
    await using shop = await startShop(bridge.dataDir)
    await shop.order()
    await shop.shows('shop_outbox_set_aside_records', 1)
    const list = JSON.parse((await command(bridge, 'list', '--json')).output)
    assert.match(list.oldestSetAside[0].error, /larger than the max message size/)

    await limitOrders(ENOUGH)
    const id = String(list.oldestSetAside[0].id)
    assert.deepEqual(await command(bridge, 'resend', id), {
      code: 0,
      output: '1 event is on the way again\n',
    })
    await bridge.shows(ORDERS, {}, 1)
    await shop.shows('shop_outbox_set_aside_records', 0)
    await shop.shows('shop_outbox_records', 0)
    const again = await command(bridge, 'resend', id)
    assert.deepEqual([again.code, /1 of those .* is not set aside/.test(again.output)], [1, true])
    assert.equal(await bridge.value(ORDERS), 1)
  })

  test('what the bridge proved lost is resent, fills the gap and counts once', async () => {
    await createTopics(cluster().brokers, ['web_requests', 'new_orders'])
    await using bridge = await startBridge(cluster().brokers)
    {
      await using shop = await startShop(bridge.dataDir)
      await shop.order()
      await bridge.shows(ORDERS, {}, 1)
      await shop.shows('shop_outbox_records', 0)
      await shop.service.end()
    }
    // As if Kafka had acknowledged three more orders, and lost them with a broker's disk.
    const database = new Database(join(bridge.dataDir, 'shop/shop.db'))
    for (const sequence of [2, 3, 4]) {
      database.exec(`
        insert into outbox_sent (topic, "key", value, event_time, "partition", source, sequence, acknowledged_at)
        select topic, "key", value, event_time, "partition", source, ${sequence}, acknowledged_at
        from outbox_sent where topic = 'new_orders' and sequence = 1`)
    }
    database.exec("update outbox_sequences set sequence = 4 where topic = 'new_orders'")
    const source = database.prepare(
      "select source from outbox_sequences where topic = 'new_orders'",
    )
    const first = source.pluck().get() as string
    database.close()

    await using shop = await startShop(bridge.dataDir)
    await shop.order()
    await bridge.shows('meterbridge_lost_records_total', { topic: 'new_orders' }, 3)
    assert.deepEqual(await command(bridge, 'resend', '--lost'), {
      code: 0,
      output: '3 events are on the way again; 0 waited already\n',
    })
    await bridge.shows(ORDERS, {}, 5)
    assert.equal(await bridge.value('meterbridge_recovered_records_total'), 3)
    assert.match((await command(bridge, 'resend', '--lost')).output, /^the bridge has no open gap/)

    const range = await command(bridge, 'resend', '--range', `new_orders/0/${first}:4-6`)
    assert.equal(range.code, 1)
    assert.equal(
      range.output,
      `the bridge counts of these what lies in a gap it still has open, and drops the rest as sent twice\n1 event is on the way again; 0 waited already\nnot kept any more, or never given: new_orders/0/${first}:5-6\n`,
    )
    const duplicates = { topic: 'new_orders', result: 'duplicate' }
    await bridge.shows('meterbridge_records_total', duplicates, 1)
    assert.equal(await bridge.value(ORDERS), 5)
  })

  test('a shop whose clock is hours ahead sends all the same', {
    skip: missingForClock ?? false,
  }, async () => {
    await createTopics(cluster().brokers, ['web_requests', 'new_orders'])
    await using bridge = await startBridge(cluster().brokers)
    const clock = createClock(join(bridge.dataDir, 'clock'))
    clock.step(TWO_HOURS_MS)
    await using shop = await startShop(bridge.dataDir, clock.environment)
    await shop.order()
    await bridge.shows(ORDERS, {}, 1)
    await shop.shows('shop_outbox_set_aside_records', 0)
    const [record] = await readTopic(cluster().brokers, 'new_orders')
    assert.match(numberOf(record!), /#1$/)
    assert.ok(Number(record!.headers['mb-time']) > Date.now() + TWO_HOURS_MS / 2)
    assert.ok(Math.abs(record!.timestamp - Date.now()) < TWO_HOURS_MS / 2)
  })
}
