import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { growth, series } from '../../grafana/query.ts'
import { panelsOf, queriesOf, readDashboards, resolveVariables } from '../grafana/dashboards.ts'
import { until } from '../harness/until.ts'
import { readRules } from './config.ts'
import { METRICS } from './metrics.ts'
import { lines, samplesOf } from './page.ts'
import { type Prometheus, RATE_INTERVAL, startPrometheus } from './server.ts'
import { type System, startSystem } from './system.ts'
import { missingTool } from './tool.ts'

const UNIT_PRICE = 15
/** It has a value once a minute has closed, which a short test does not wait for. */
const NEEDS_A_CLOSED_MINUTE = 'Age of the last closed minute'

const skip = missingTool('prometheus')

describe('a real Prometheus', { skip }, () => {
  let system: System
  let prometheus: Prometheus
  let startedAt: number

  before(async () => {
    startedAt = nowSeconds()
    system = await startSystem()
    prometheus = await startPrometheus({ shop: system.shop, bridge: system.bridge })
    await until('both targets are up', async () => (await value('sum(up)')) === 2)
  })
  after(async () => {
    await prometheus?.[Symbol.asyncDispose]()
    await system?.[Symbol.asyncDispose]()
  })

  const value = async (expression: string) => (await prometheus.query(expression))[0]?.value
  const untilOrders = (count: number) =>
    until(`Prometheus shows ${count} orders`, async () => {
      return (await value('sum(shop_orders_total)')) === count
    })

  test('sees zeros before the first event, under names that stay', async () => {
    const orders = await prometheus.query('shop_orders_total')
    assert.deepEqual(
      orders.map(({ value }) => value),
      [0, 0],
    )
    for (const { labels } of orders) {
      assert.equal(labels.job, 'bridge')
      assert.equal(labels.instance, 'meterbridge')
    }
    assert.equal(await value('sum(web_requests_total)'), 0)
  })

  test('shows what was ordered, growth since any moment included', async () => {
    await order(2, true)
    await order(3, false)
    await untilOrders(2)
    const between = nowSeconds()
    await order(4, true)
    await untilOrders(3)

    assert.equal(await value('shop_orders_total{payment="prepaid"}'), 2)
    assert.equal(await value('sum(shop_ordered_units_total)'), 2 + 3 + 4)
    assert.equal(await value('sum(shop_order_value_total)'), (2 + 3 + 4) * UNIT_PRICE)
    assert.equal(await value('sum(web_requests_total{code="303"})'), 3)
    // The first increment counts, because zeros stood there before.
    assert.ok((await value('sum(increase(shop_orders_total[1m]))'))! > 0)

    const end = nowSeconds()
    const grown = resolveVariables(growth(series('shop_orders_total')))
    const [sinceBefore] = await prometheus.queryRange(grown, { start: startedAt, end })
    assert.equal(sinceBefore?.value, 3)
    const [sinceBetween] = await prometheus.queryRange(grown, { start: between, end })
    assert.equal(sinceBetween?.value, 1)
  })

  test('has the same totals as the bridge shows', async () => {
    const totals = async () => {
      const page = await fetchPage(system.bridge)
      return lines(samplesOf(page).filter(({ labels }) => labels.__name__?.endsWith('_total')))
    }
    const shown = await totals()
    assert.ok(shown.length > 20)
    await until('a scrape after the last event', async () => {
      const stored = await prometheus.query('{job="bridge", __name__=~".+_total"}')
      assert.deepEqual(lines(stored), shown)
      return true
    })
    assert.deepEqual(await totals(), shown, 'nothing was counted meanwhile')
  })

  test('finds every metric that dashboards and alerts may name', async () => {
    for (const job of ['bridge', 'shop'] as const) {
      const page = await fetchPage(system[job])
      for (const name of METRICS[job]) {
        assert.ok(page.includes(`\n# TYPE ${name.replace(/_(bucket|count)$/, '')} `), name)
      }
    }
  })

  for (const dashboard of readDashboards()) {
    test(`answers every query of ${dashboard.file}, none with nothing`, async () => {
      for (const panel of panelsOf(dashboard)) {
        for (const query of queriesOf(panel)) {
          const expression = resolveVariables(query, RATE_INTERVAL)
          const range = { start: startedAt, end: nowSeconds() }
          const answer = await prometheus.queryRange(expression, range)
          if (panel.title === NEEDS_A_CLOSED_MINUTE) continue
          assert.ok(answer.length > 0, `${panel.title} is empty: ${expression}`)
          for (const { value } of answer) assert.ok(Number.isFinite(value), panel.title)
        }
      }
    })
  }

  test('evaluates every alert, and none is about to fire', async () => {
    const rules = await until('every rule was evaluated', async () => {
      const states = await prometheus.rules()
      return states.every(({ health }) => health !== 'unknown') ? states : undefined
    })
    assert.equal(rules.length, readRules().length)
    for (const { name, health, lastError, state } of rules) {
      assert.equal(health, 'ok', `${name}: ${lastError}`)
      assert.equal(state, 'inactive', name)
    }
  })

  test('notices when the bridge is gone', async () => {
    await system.bridgeService.end()
    await until('BridgeDown waits to fire', async () => {
      const states = await prometheus.rules()
      return states.some(({ name, state }) => name === 'BridgeDown' && state === 'pending')
    })
  })

  async function order(amount: number, paidNow: boolean) {
    const form = {
      email: 'a@example.org',
      amount: String(amount),
      ...(paidNow && { is_paid_now: 'on' }),
    }
    const response = await fetch(`http://${system.shop}/order-new`, {
      method: 'POST',
      body: new URLSearchParams(form),
      redirect: 'manual',
    })
    assert.equal(response.status, 303)
  }
})

function nowSeconds(): number {
  return Date.now() / 1000
}

async function fetchPage(address: string): Promise<string> {
  const response = await fetch(`http://${address}/metrics`)
  assert.equal(response.status, 200)
  return response.text()
}
