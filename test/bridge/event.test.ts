import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDecoder, type Reason, Rejection } from '../../services/bridge/codec/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'

const decoders = new Map(streams.map((stream) => [stream.name, createDecoder(stream)]))

function decode(stream: string, value: string | Buffer | null): unknown {
  // The value stands between others, as in a batch.
  const bytes = Buffer.concat([Buffer.from('"1'), Buffer.from(value ?? ''), Buffer.from('1}')])
  return decoders.get(stream)!(bytes, value === null ? -1 : 2, bytes.length - 2)
}

function rejection(stream: string, value: string | Buffer | null): [Reason, string] {
  const result = decode(stream, value)
  assert.ok(result instanceof Rejection, `counted: ${JSON.stringify(result)}`)
  return [result.reason, result.detail]
}

const ORDER = { order_id: 7, order_amount: 2, order_total_price: 30, is_paid: true }
const order = (changes: object) => JSON.stringify({ ...ORDER, ...changes })
const orderText = (field: keyof typeof ORDER, text: string) =>
  JSON.stringify(ORDER).replace(`"${field}":${ORDER[field]}`, `"${field}":${text}`)

const BOTH: [string, string | Buffer | null, Reason, RegExp][] = [
  ['a tombstone', null, 'tombstone', /^the value is null$/],
  ['an empty value', '', 'empty', /^the value has no bytes$/],
  ['not JSON', 'order!', 'json', /Unexpected token 'o'/],
  ['NaN', 'NaN', 'json', /NaN/],
  ['JSON cut off', '{"order_id":1', 'json', /Expected ',' or '}'/],
  ['two values', '1 1', 'json', /position 2/],
  ['a byte order mark', '\ufeff1', 'json', /Unexpected token/],
  [
    'a byte that is not UTF-8',
    Buffer.from('7bff7d', 'hex'),
    'encoding',
    /^the value is not UTF-8$/,
  ],
  ['half a surrogate pair', Buffer.from('22eda08022', 'hex'), 'encoding', /UTF-8/],
  ['the word null', 'null', 'schema', /must be an object.*\(was null\)/],
  ['1 in quotes', '"1"', 'schema', /must be an object.*\(was a string\)/],
  ['true', 'true', 'schema', /must be an object.*\(was boolean\)/],
  ['1.5', '1.5', 'schema', /must be/],
  ['-1', '-1', 'schema', /must be/],
  ['2^53', '9007199254740992', 'schema', /must be/],
  ['an array', '[]', 'schema', /must be/],
  ['a deep array', '['.repeat(300_000) + ']'.repeat(300_000), 'schema', /must be|too deeply/],
  ['10 MiB of nothing', ' '.repeat(10 * 1024 * 1024), 'json', /Unexpected end/],
  ['10 MiB of text', `"${'x'.repeat(10 * 1024 * 1024)}"`, 'schema', /was a string/],
]

test('values that are nested as deeply as would take longest to quote hold nobody up', () => {
  const started = performance.now()
  for (let i = 0; i < 50; i++) {
    for (const stream of ['orders', 'requests'])
      rejection(stream, '['.repeat(3_000) + ']'.repeat(3_000))
  }
  assert.ok(performance.now() - started < 2_000)
})

for (const stream of ['orders', 'requests']) {
  for (const [name, value, reason, detail] of BOTH) {
    test(`${stream}: ${name} is a dead letter '${reason}' that says what is wrong`, () => {
      const [found, text] = rejection(stream, value)
      assert.equal(found, reason)
      assert.match(text, detail)
      assert.ok(text.length <= 301)
    })
  }
}

const MISSING =
  /is_paid must be boolean \(was missing\); order_amount must be a number \(was missing\)/
const ORDERS: [string, Reason, RegExp][] = [
  ['1', 'schema', /^must be an object \(was a number\)$/],
  ['{}', 'schema', MISSING],
  ['[1]', 'schema', MISSING],
  [order({ order_id: undefined }), 'schema', /^order_id must be a number \(was missing\)$/],
  [order({ order_amount: '3' }), 'schema', /^order_amount must be a number \(was a string\)$/],
  [order({ order_amount: 1.5 }), 'schema', /^order_amount must be an integer \(was 1\.5\)$/],
  [order({ order_amount: null }), 'schema', /^order_amount must be a number \(was null\)$/],
  [order({ order_amount: 0 }), 'range', /^order_amount must be at least 1 \(was 0\)$/],
  [order({ order_amount: -1 }), 'range', /^order_amount must be at least 1 \(was -1\)$/],
  [order({ order_amount: 1e12 + 1 }), 'range', /at most 1000000000000 \(was 1000000000001\)$/],
  [order({ order_total_price: -1 }), 'range', /^order_total_price must be non-negative/],
  [order({ order_id: 2 ** 53 }), 'range', /^order_id must be at most 9007199254740991/],
  [order({ order_id: -1 }), 'range', /^order_id must be non-negative \(was -1\)$/],
  [order({ order_amount: 0, order_id: 'x' }), 'schema', /at least 1.*; order_id must be a number/],
  [order({ is_paid: 1 }), 'schema', /^is_paid must be boolean \(was 1\)$/],
  [order({ is_paid: 'true' }), 'schema', /^is_paid must be boolean/],
  [orderText('order_amount', '1e999'), 'schema', /order_amount \(Infinity\)/],
  [orderText('order_amount', 'NaN'), 'json', /NaN/],
  [orderText('is_paid', '['.repeat(3e5) + ']'.repeat(3e5)), 'schema', /nested too deeply/],
]

for (const [value, reason, detail] of ORDERS) {
  test(`orders: ${value.slice(0, 90)} is a dead letter '${reason}'`, () => {
    const [found, text] = rejection('orders', value)
    assert.equal(found, reason)
    assert.match(text, detail)
  })
}

const REQUESTS: [string, Reason, RegExp][] = [
  ['0', 'schema', /^must be 1 \(was 0\)$/],
  ['2', 'schema', /^must be 1 \(was 2\)$/],
  ['[1]', 'schema', /^must be an object, not an array/],
  ['{"route":1}', 'schema', /^route must be a string \(was a number\)$/],
  ['{"method":null}', 'schema', /^method must be a string \(was null\)$/],
  ['{"status":"200"}', 'schema', /^status must be a number \(was a string\)$/],
  ['{"status":200.5}', 'schema', /^status must be an integer \(was 200\.5\)$/],
  ['{"status":99}', 'range', /^status must be at least 100 \(was 99\)$/],
  ['{"status":600}', 'range', /^status must be at most 599 \(was 600\)$/],
  ['{"duration":-1}', 'range', /^duration must be non-negative \(was -1\)$/],
  ['{"duration":1000000000001}', 'range', /^duration must be at most 1000000000000/],
]

for (const [value, reason, detail] of REQUESTS) {
  test(`requests: ${value} is a dead letter '${reason}'`, () => {
    const [found, text] = rejection('requests', value)
    assert.equal(found, reason)
    assert.match(text, detail)
  })
}

const COUNTS: [string, string][] = [
  ['orders', order({})],
  ['orders', order({ order_amount: 1e12, order_total_price: 1e12, order_id: 2 ** 53 - 1 })],
  ['orders', order({ order_total_price: 0, order_id: 0, is_paid: false })],
  ['orders', order({ customer: { deep: [1] }, order_amout: 'a misspelt one' })],
  ['requests', '1'],
  ['requests', ' 1\n'],
  ['requests', '1.0'],
  ['requests', '{}'],
  ['requests', '{"route":"/","method":"GET","status":200,"duration":0}'],
  ['requests', '{"route":"\ufffd","anything":[1]}'],
]

for (const [stream, value] of COUNTS) {
  test(`${stream}: ${value.trim()} counts, whatever else it holds`, () => {
    assert.deepEqual(decode(stream, value), JSON.parse(value))
  })
}

test("what a request's fields hold is sorted into few values", () => {
  const { labels } = streams.find(({ name }) => name === 'requests')!
  const sorted = (value: unknown) =>
    Object.values(labels).map((label) => {
      assert.ok(label.values.includes(label.of(value)))
      return label.of(value)
    })
  assert.deepEqual(sorted(1), ['unknown', 'unknown', 'unknown'])
  assert.deepEqual(sorted({}), ['unknown', 'unknown', 'unknown'])
  const told = { route: '/order-new', method: 'POST', status: 303 }
  assert.deepEqual(sorted(told), ['/order-new', 'POST', '303'])
  const foreign = { route: 'constructor', method: '', status: 418 }
  assert.deepEqual(sorted(foreign), ['other', 'other', 'other'])
})
