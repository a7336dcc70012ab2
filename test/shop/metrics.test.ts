import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { GOOD_FORM, temporaryShop } from './shop.ts'

const OPEN_METRICS = { accept: 'application/openmetrics-text; version=1.0.0,text/plain;q=0.5' }
const promtool = spawnSync('promtool', ['--version']).error
const skip = promtool && process.env.CI !== 'true' ? 'promtool is not installed' : false

test('promtool has nothing to say about the metrics, idle or busy', { skip }, async () => {
  using shop = temporaryShop()
  for (const _ of ['idle', 'busy']) {
    const input = await (await shop.get('/metrics')).text()
    assert.equal(execFileSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' }), '')
    await shop.submit(GOOD_FORM)
  }
})

test('every known answer of the three pages is shown as 0 from the start', async () => {
  using shop = temporaryShop()
  const text = await (await shop.get('/metrics')).text()
  const counts = text.match(/^http_request_duration_seconds_count\{.*\} 0$/gm) ?? []
  assert.equal(counts.length, 29)
  for (const labels of [
    'route="/",method="GET",code="200"',
    'route="/order-new",method="POST",code="303"',
    'route="/order-new",method="POST",code="422"',
    'route="/order-new-complete",method="GET",code="404"',
    'route="/",method="other",code="405"',
  ]) {
    assert.ok(text.includes(`http_request_duration_seconds_count{${labels}} 0`), labels)
  }
})

test('each request is observed once with its outcome; odd methods share a label', async () => {
  using shop = temporaryShop()
  await shop.submit(GOOD_FORM)
  await shop.submit({})
  for (const method of ['PROPFIND', 'LOCK']) await shop.request('/', { method })
  const text = await (await shop.get('/metrics')).text()
  const count = (labels: string) =>
    text.match(new RegExp(`^http_request_duration_seconds_count\\{${labels}\\} (\\d+)$`, 'm'))?.[1]
  assert.equal(count('route="/order-new",method="POST",code="303"'), '1')
  assert.equal(count('route="/order-new",method="POST",code="422"'), '1')
  assert.equal(count('route="/",method="other",code="405"'), '2')
})

test('the outbox tells how many events wait and since when', async () => {
  using shop = temporaryShop()
  const idle = await (await shop.get('/metrics')).text()
  assert.match(idle, /^shop_outbox_records 0$/m)
  assert.doesNotMatch(idle, /^shop_outbox_oldest_timestamp_seconds /m)
  const before = Date.now()
  await shop.submit(GOOD_FORM)
  await shop.get('/')
  const text = await (await shop.get('/metrics')).text()
  assert.match(text, /^shop_outbox_records 3$/m)
  const since = Number(/^shop_outbox_oldest_timestamp_seconds (.+)$/m.exec(text)?.[1]) * 1_000
  assert.ok(since >= before && since <= Date.now())
})

test('OpenMetrics for those who accept it, the older text for all others', async () => {
  using shop = temporaryShop()
  const open = await shop.get('/metrics', OPEN_METRICS)
  assert.match(open.headers.get('content-type') ?? '', /^application\/openmetrics-text/)
  assert.match(await open.text(), /\n# EOF\n$/)
  const plain = await shop.get('/metrics', { accept: '*/*' })
  assert.match(plain.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
})
