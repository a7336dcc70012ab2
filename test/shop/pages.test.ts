import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cookieOf, GOOD_FORM, temporaryShop } from './shop.ts'

test('one order walked through is 4 events: 3 pages and the form, and the order itself', async () => {
  using shop = temporaryShop()
  assert.match(await (await shop.get('/')).text(), /href="\/order-new">New order</)
  assert.equal((await shop.get('/order-new')).status, 200)
  const placed = await shop.submit(GOOD_FORM)
  assert.equal(placed.status, 303)
  assert.equal(placed.headers.get('location'), '/order-new-complete')
  const complete = await shop.get('/order-new-complete', cookieOf(placed))
  assert.equal(complete.status, 200)

  const requests = shop.events('web_requests').map(({ value }) => JSON.parse(value))
  assert.deepEqual(
    requests.map(({ route, method, status }) => [route, method, status]),
    [
      ['/', 'GET', 200],
      ['/order-new', 'GET', 200],
      ['/order-new', 'POST', 303],
      ['/order-new-complete', 'GET', 200],
    ],
  )
  for (const { duration } of requests) assert.ok(Number.isInteger(duration) && duration >= 0)
  assert.deepEqual(
    shop.events('new_orders').map(({ value }) => value),
    ['{"order_id":1,"order_amount":7,"order_total_price":105,"is_paid":true}'],
  )
})

test('the order is stored, and shown with e-mail, amount, total price and payment', async () => {
  using shop = temporaryShop()
  const placed = await shop.submit({ email: 'bo@example.com', amount: '3' })
  const text = await (await shop.get('/order-new-complete', cookieOf(placed))).text()
  for (const part of ['bo@example.com', '<dd>3</dd>', '<dd>45</dd>', 'on credit']) {
    assert.ok(text.includes(part), part)
  }
  const [order] = shop.rows<Record<string, unknown>>('select * from orders')
  assert.deepEqual(Object.keys(order ?? {}), [
    'id',
    'customer_email',
    'amount',
    'total_price',
    'is_prepaid',
    'created_at',
  ])
  assert.deepEqual(
    { ...order, created_at: 0 },
    {
      id: 1,
      customer_email: 'bo@example.com',
      amount: 3,
      total_price: 45,
      is_prepaid: 0,
      created_at: 0,
    },
  )
  assert.ok(Math.abs(Number(order?.created_at) - Date.now()) < 10_000)
})

test('no event carries the e-mail address', async () => {
  using shop = temporaryShop()
  await shop.submit(GOOD_FORM)
  for (const row of shop.rows('select * from outbox')) {
    assert.doesNotMatch(JSON.stringify(row), /anna|example/)
  }
})

test('a double click or a reload makes one order, and shows it both times', async () => {
  using shop = temporaryShop()
  const page = await (await shop.get('/order-new')).text()
  const token = /name="form_token" value="([^"]+)"/.exec(page)?.[1] ?? ''
  const form = { ...GOOD_FORM, form_token: token }
  const both = await Promise.all([shop.submit(form), shop.submit(form)])
  const again = await shop.submit(form)
  for (const response of [...both, again]) {
    assert.equal(response.status, 303)
    const shown = await (await shop.get('/order-new-complete', cookieOf(response))).text()
    assert.match(shown, /<dt>Order<\/dt><dd>1<\/dd>/)
  }
  assert.equal(shop.rows('select * from orders').length, 1)
  assert.equal(shop.events('new_orders').length, 1)
  // Asked for three times all the same.
  assert.equal(shop.events('web_requests').filter((e) => e.value.includes('"POST"')).length, 3)
})

test('a form that was gone back to and changed is an order of its own', async () => {
  using shop = temporaryShop()
  const page = await (await shop.get('/order-new')).text()
  const token = /name="form_token" value="([^"]+)"/.exec(page)?.[1] ?? ''
  await shop.submit({ ...GOOD_FORM, amount: '3', form_token: token })
  const changed = await shop.submit({ ...GOOD_FORM, amount: '33', form_token: token })
  const shown = await (await shop.get('/order-new-complete', cookieOf(changed))).text()
  assert.match(shown, /<dt>Amount<\/dt><dd>33<\/dd>/)
  assert.equal(shop.events('new_orders').length, 2)
})

test('a client that sends no form token makes an order with each POST', async () => {
  using shop = temporaryShop()
  for (const _ of [1, 2]) await shop.submit(GOOD_FORM)
  assert.equal(shop.events('new_orders').length, 2)
})

test('HEAD answers like GET without a body, and is an event', async () => {
  using shop = temporaryShop()
  const response = await shop.request('/', { method: 'HEAD' })
  assert.equal(response.status, 200)
  assert.equal(await response.text(), '')
  assert.match(shop.events('web_requests')[0]?.value ?? '', /"method":"HEAD"/)
})

test('assets, unknown pages, metrics and health are no events', async () => {
  using shop = temporaryShop()
  const page = await (await shop.get('/nowhere')).text()
  const assets = [...page.matchAll(/href="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '')
  assert.equal(assets.length, 2)
  for (const path of [...assets, '/metrics', '/healthz']) {
    assert.equal((await shop.get(path)).status, 200, path)
  }
  assert.equal((await shop.get('/order-new/')).status, 404)
  assert.deepEqual(shop.rows('select * from outbox'), [])
})

test('pages run no script, load nothing from elsewhere and are kept nowhere', async () => {
  using shop = temporaryShop()
  const { headers } = await shop.get('/order-new')
  assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'/)
  assert.equal(headers.get('cache-control'), 'no-store')
})

test('the cookie secret is made once and readable by its owner alone', async () => {
  using shop = temporaryShop()
  assert.equal(statSync(join(shop.folder, 'shop', 'cookie-secret')).mode & 0o777, 0o600)
})
