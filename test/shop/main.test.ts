import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { temporaryFolder } from '../harness/folder.ts'
import { freePort } from '../harness/ports.ts'
import { startService, untilOk } from '../harness/service.ts'
import { until } from '../harness/until.ts'
import { GOOD_FORM } from './shop.ts'

const CLIENTS = 16
const ANSWERS_BEFORE_KILL = 1_500
const STOP_LIMIT_MS = 10_000

/** A shop as its own process, while Kafka is away. */
async function startShop(dataDir: string) {
  const [port, nowhere] = [await freePort(), await freePort()]
  const service = startService('services/shop/main.ts', {
    KAFKA_BROKERS: `127.0.0.1:${nowhere}`,
    METERBRIDGE_DATA_DIR: dataDir,
    METERBRIDGE_SHOP_LISTEN: `127.0.0.1:${port}`,
  })
  const url = `http://127.0.0.1:${port}`
  await untilOk(service, `${url}/healthz`)
  const order = (form = GOOD_FORM) =>
    fetch(`${url}/order-new`, {
      method: 'POST',
      body: new URLSearchParams(form),
      redirect: 'manual',
    })
  return { service, url, order }
}

for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
  test(`${signal} under load loses no order and no page view that was answered`, async () => {
    using folder = temporaryFolder()
    const { service, url, order } = await startShop(folder.path)
    await using _ = service
    let answered = { orders: 0, views: 0 }
    const client = async (number: number) => {
      for (;;) {
        const response = number % 2 ? await fetch(`${url}/`) : await order()
        await response.text()
        if (number % 2) answered = { ...answered, views: answered.views + 1 }
        else answered = { ...answered, orders: answered.orders + 1 }
        if (answered.orders + answered.views === ANSWERS_BEFORE_KILL) service.process.kill(signal)
      }
    }
    await Promise.allSettled(Array.from({ length: CLIENTS }, (_, number) => client(number)))

    assert.equal(await service.exited, signal === 'SIGTERM' ? 0 : null)
    const database = new Database(join(folder.path, 'shop', 'shop.db'))
    const count = (query: string) => database.prepare(query).pluck().get() as number
    const orders = count('select count(*) from orders')
    const events = count("select count(*) from outbox where topic = 'new_orders'")
    const views = count(`select count(*) from outbox where value like '{"route":"/",%'`)
    database.close()
    assert.ok(answered.orders > 0 && answered.views > 0)
    assert.equal(orders, events)
    // Those in flight when it was killed may be stored though nobody has their answer.
    assert.ok(orders >= answered.orders && orders <= answered.orders + CLIENTS / 2)
    assert.ok(views >= answered.views && views <= answered.views + CLIENTS / 2)
  })
}

test('without Kafka it opens, sells and says once what is the matter; SIGTERM ends it with 0', async () => {
  using folder = temporaryFolder()
  const { service, order } = await startShop(folder.path)
  await using _ = service
  assert.equal((await order()).status, 303)
  await until('the outage is told', () =>
    service.output().includes('events cannot be sent to Kafka'),
  )
  assert.match(service.output(), /orders are taken, and events kept/)
  const started = performance.now()
  assert.equal(await service.end(), 0)
  assert.ok(performance.now() - started < STOP_LIMIT_MS)
  assert.equal(service.output().match(/events cannot be sent to Kafka/g)?.length, 1)
})

test('a second shop on the same data folder is refused in one sentence', async () => {
  using folder = temporaryFolder()
  const { service } = await startShop(folder.path)
  await using _ = service
  const second = startService('services/shop/main.ts', {
    KAFKA_BROKERS: '127.0.0.1:9',
    METERBRIDGE_DATA_DIR: folder.path,
    METERBRIDGE_SHOP_LISTEN: `127.0.0.1:${await freePort()}`,
  })
  await until('the second ends', () => second.process.exitCode !== null)
  assert.equal(second.process.exitCode, 1)
  assert.match(
    second.output(),
    /^shop: another shop is using .*; stop it, or set METERBRIDGE_DATA_DIR/m,
  )
})

test('without KAFKA_BROKERS it does not start', async () => {
  using folder = temporaryFolder()
  const service = startService('services/shop/main.ts', { METERBRIDGE_DATA_DIR: folder.path })
  await until('it ends', () => service.process.exitCode !== null)
  assert.equal(service.process.exitCode, 1)
  assert.match(service.output(), /KAFKA_BROKERS is not set/)
})
