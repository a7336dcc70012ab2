import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cookieOf, type Form, GOOD_FORM, temporaryShop } from './shop.ts'

const EMAIL_FORM = 'Enter an e-mail address like name@example.com, without spaces.'
const DIGITS = 'Enter a whole number from 1 to 10,000, in plain digits.'
const HOW_MANY = 'Enter how many you want: a whole number from 1 to 10,000.'
const TOO_MANY = 'That is too many for one order; enter a whole number from 1 to 10,000.'
const TEN_MIB = 10 * 1_024 * 1_024

const MISTAKES: [field: string, value: string, message: string][] = [
  ['email', '', 'Enter your e-mail address.'],
  ['email', '   ', 'Enter your e-mail address.'],
  ['email', 'anna', EMAIL_FORM],
  ['email', 'anna@', EMAIL_FORM],
  ['email', '@example.com', EMAIL_FORM],
  ['email', 'anna@example', EMAIL_FORM],
  ['email', 'an na@example.com', EMAIL_FORM],
  ['email', 'anna@example.com\u0000', EMAIL_FORM],
  ['email', 'an\uFFFDna@example.com', EMAIL_FORM],
  ['email', '.anna@example.com', 'The part before the @ neither starts nor ends with a dot.'],
  ['email', 'anna.@example.com', 'The part before the @ neither starts nor ends with a dot.'],
  [
    'email',
    `${'a'.repeat(65)}@example.com`,
    'The part before the @ has at most 64 characters; this has 65.',
  ],
  ['email', '<script>alert(1)</script>@example.com', EMAIL_FORM],
  ['email', `${'a'.repeat(300)}@example.com`, 'An e-mail address has at most 254 characters'],
  ['amount', '', HOW_MANY],
  ['amount', '  ', HOW_MANY],
  ['amount', 'seven', DIGITS],
  ['amount', '1e3', DIGITS],
  ['amount', '-1', DIGITS],
  ['amount', '+1', DIGITS],
  ['amount', '0', DIGITS],
  ['amount', '1.5', DIGITS],
  ['amount', '1,000', DIGITS],
  ['amount', '0x10', DIGITS],
  ['amount', '٧', DIGITS],
  ['amount', 'NaN', DIGITS],
  ['amount', 'Infinity', DIGITS],
  ['amount', '10001', TOO_MANY],
  ['amount', '9'.repeat(400), TOO_MANY],
  ['is_paid_now', 'perhaps', 'Tick the box to pay now, or leave it empty to pay later.'],
]

for (const [field, value, message] of MISTAKES) {
  test(`${field} ${JSON.stringify(value.slice(0, 40))} is refused beside its field: ${message}`, async () => {
    using shop = temporaryShop()
    const response = await shop.submit({ ...GOOD_FORM, [field]: value })
    assert.equal(response.status, 422)
    const page = await response.text()
    assert.equal(mistakeOf(page, field)?.startsWith(message), true, mistakeOf(page, field))
    assert.deepEqual(namedMistakes(page), [field])
    assertNothingOrdered(shop)
  })
}

test('every mistake is named at once, and what was typed stays', async () => {
  using shop = temporaryShop()
  const page = await (await shop.submit({ email: 'x', amount: '1e3', is_paid_now: 'on' })).text()
  assert.deepEqual(namedMistakes(page), ['email', 'amount'])
  assert.match(page, /id="email" name="email" value="x"/)
  assert.match(page, /id="amount" name="amount" value="1e3"/)
  assert.match(page, /value="true" checked/)
})

test('a script typed into the form stays text', async () => {
  using shop = temporaryShop()
  const page = await (await shop.submit({ ...GOOD_FORM, email: '"><script>x</script>' })).text()
  assert.doesNotMatch(page, /<script/)
  assert.match(page, /&quot;&gt;&lt;script&gt;/)
})

test('missing fields are named like empty ones', async () => {
  using shop = temporaryShop()
  const page = await (await shop.submit({})).text()
  assert.equal(mistakeOf(page, 'email'), 'Enter your e-mail address.')
  assert.equal(mistakeOf(page, 'amount'), HOW_MANY)
})

const AMOUNTS: [typed: string, amount: number][] = [
  [' 7 ', 7],
  ['1', 1],
  ['10000', 10_000],
  ['007', 7],
]
for (const [typed, amount] of AMOUNTS) {
  test(`the amount ${JSON.stringify(typed)} is ${amount}`, async () => {
    using shop = temporaryShop()
    assert.equal((await shop.submit({ ...GOOD_FORM, amount: typed })).status, 303)
    const total = amount * 15
    assert.deepEqual(shop.rows('select amount, total_price from orders'), [
      { amount, total_price: total },
    ])
  })
}

const BODIES: [name: string, init: RequestInit][] = [
  ['JSON', { body: JSON.stringify(GOOD_FORM), headers: { 'content-type': 'application/json' } }],
  ['nothing', {}],
  ['invalid UTF-8', { body: new Uint8Array([0xff, 0xfe, 0x3d, 0xff]), headers: urlencoded() }],
  ['broken percent signs', { body: 'email=%%%&amount=%zz', headers: urlencoded() }],
  [
    'a multipart form that is none',
    { body: 'zzz', headers: { 'content-type': 'multipart/form-data; boundary=x' } },
  ],
  ['files instead of text', { body: files() }],
]
for (const [name, init] of BODIES) {
  test(`${name} as the body is answered with the form and its mistakes`, async () => {
    using shop = temporaryShop()
    const response = await shop.request('/order-new', { method: 'POST', ...init })
    assert.equal(response.status, 422)
    assert.ok(namedMistakes(await response.text()).includes('amount'))
    assertNothingOrdered(shop)
  })
}

for (const announced of [true, false]) {
  test(`a body of 10 MiB, ${announced ? 'announced' : 'of unknown length'}, is answered with 413`, async () => {
    using shop = temporaryShop()
    const response = await shop.request('/order-new', {
      method: 'POST',
      body: new Blob(['x'.repeat(TEN_MIB)]).stream(),
      headers: { ...urlencoded(), ...(announced && { 'content-length': String(TEN_MIB) }) },
      duplex: 'half',
    } as RequestInit)
    assert.equal(response.status, 413)
    assert.match(await response.text(), /at most 64 KiB, so nothing was ordered/)
    assert.equal(lastStatus(shop), 413)
    assertNothingOrdered(shop)
  })
}

test("another's order is not shown: no cookie, a forged one and a changed one find nothing", async () => {
  using shop = temporaryShop()
  const own = cookieOf(await shop.submit(GOOD_FORM))
  await shop.submit({ ...GOOD_FORM, email: 'other@example.com' })
  const forged: Form[] = [
    {},
    { cookie: 'shop_order=2' },
    { cookie: own.cookie?.replace('=1.', '=2.') ?? '' },
    { cookie: `${own.cookie}x` },
  ]
  for (const headers of forged) {
    const response = await shop.get('/order-new-complete', headers)
    assert.equal(response.status, 404)
    const page = await response.text()
    assert.match(page, /No order to show/)
    assert.doesNotMatch(page, /example\.com/)
  }
  assert.match(await (await shop.get('/order-new-complete', own)).text(), /anna@example\.com/)
})

const REFUSED: [method: string, path: string, allow: string][] = [
  ['POST', '/', 'GET, HEAD'],
  ['POST', '/order-new-complete', 'GET, HEAD'],
  ['PUT', '/order-new', 'GET, HEAD, POST'],
  ['DELETE', '/order-new', 'GET, HEAD, POST'],
  ['OPTIONS', '/', 'GET, HEAD'],
  ['PROPFIND', '/order-new-complete', 'GET, HEAD'],
]
for (const [method, path, allow] of REFUSED) {
  test(`${method} ${path} is 405, names ${allow}, and is an event`, async () => {
    using shop = temporaryShop()
    const response = await shop.request(path, { method })
    assert.equal(response.status, 405)
    assert.equal(response.headers.get('allow'), allow)
    assert.equal(lastStatus(shop), 405)
  })
}

test("a form sent by another site's page is refused; our own, and a client without a browser, are not", async () => {
  using shop = temporaryShop()
  const status = async (headers: Form) => (await shop.submit(GOOD_FORM, headers)).status
  assert.equal(await status({ origin: 'https://evil.example', host: 'shop.example' }), 403)
  assert.equal(await status({ 'sec-fetch-site': 'cross-site', origin: 'null' }), 403)
  assert.equal(lastStatus(shop), 403)
  assertNothingOrdered(shop)
  assert.equal(await status({ origin: 'https://shop.example', host: 'shop.example' }), 303)
  assert.equal(await status({ 'sec-fetch-site': 'same-origin', origin: 'null' }), 303)
  assert.equal(await status({}), 303)
})

test('while the database takes nothing, a request is answered with 500 and a next step; afterwards all works', async () => {
  using shop = temporaryShop()
  shop.database.$client.pragma('query_only = ON')
  for (const response of [await shop.get('/'), await shop.submit(GOOD_FORM)]) {
    assert.equal(response.status, 500)
    assert.match(await response.text(), /nothing was ordered. Please try again/)
  }
  shop.database.$client.pragma('query_only = OFF')
  assert.equal((await shop.submit(GOOD_FORM)).status, 303)
})

type Shop = ReturnType<typeof temporaryShop>

function assertNothingOrdered(shop: Shop) {
  assert.deepEqual(shop.rows('select * from orders'), [])
  assert.deepEqual(shop.events('new_orders'), [])
}

function lastStatus(shop: Shop): number {
  return JSON.parse(shop.events('web_requests').at(-1)?.value ?? '{}').status
}

function mistakeOf(page: string, field: string): string | undefined {
  return new RegExp(`id="${field}-mistake">([^<]*)<`).exec(page)?.[1]
}

function namedMistakes(page: string): string[] {
  return [...page.matchAll(/id="(\w+)-mistake"/g)].map(([, field]) => field ?? '')
}

function urlencoded(): Form {
  return { 'content-type': 'application/x-www-form-urlencoded' }
}

function files(): FormData {
  const form = new FormData()
  for (const field of ['email', 'amount']) form.set(field, new File(['7'], 'seven.txt'))
  return form
}
