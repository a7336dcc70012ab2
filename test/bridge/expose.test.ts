import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import {
  createApp,
  createDurable,
  ProcessMetrics,
  type Readiness,
  renderPage,
} from '../../services/bridge/expose/index.ts'
import { openSqliteStore, type Store } from '../../services/bridge/store/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { missingTool } from '../prometheus/tool.ts'
import { testDelta, testLetter, testRedrive } from './test-delta.ts'

const MINUTE = Date.UTC(2026, 4, 1, 12)
/** What a Prometheus server asks with. */
const OPEN_METRICS =
  'application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2'

/** The bridge's pages over a real store; Kafka is told by hand. */
class Pages implements AsyncDisposable {
  readonly #folder = temporaryFolder()
  readonly store: Store = openSqliteStore(this.#folder.path)
  readonly metrics = new ProcessMetrics(
    streams.map(({ name }) => name),
    ['csv'],
  )
  loaded = true
  readiness: Readiness = { ready: true }
  readAtMs = MINUTE + 90_500
  readonly #durable = createDurable(streams)
  readonly app = createApp({
    families: async () =>
      this.loaded
        ? [
            ...this.#durable(await this.store.snapshot()),
            ...this.metrics.families(this.#statuses(), this.#folder.path, '1.2.3'),
          ]
        : undefined,
    readiness: () => this.readiness,
  })

  static async start(): Promise<Pages> {
    const pages = new Pages()
    for (const { name, topic } of streams) {
      await pages.store.addStream(name, MINUTE, 0)
      await pages.store.begin([{ topic, partition: 0, incarnation: 1, stream: name, start: 0 }])
    }
    return pages
  }

  #statuses() {
    return streams.map(({ name, topic }) => ({
      ...{ stream: name, topic, caughtUp: true, watermarkMs: MINUTE + 88_500 },
      readAtMs: this.readAtMs,
      lags: [{ partition: 0, records: 4 }],
    }))
  }

  async get(path: string, accept = '*/*') {
    const response = await this.app.request(path, { headers: { accept } })
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    }
  }

  async scrape() {
    const { text } = await this.get('/metrics')
    return samplesOf(text)
  }

  async [Symbol.asyncDispose]() {
    await this.store.end()
    this.#folder[Symbol.dispose]()
  }
}

/** Values as they are printed, by name and labels. */
function samplesOf(page: string): Map<string, string> {
  const lines = page.split('\n').filter((line) => line && !line.startsWith('#'))
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      line.slice(line.lastIndexOf(' ') + 1),
    ]),
  )
}

test('until the state is loaded the counters are not shown as 0 but not at all', async () => {
  await using pages = await Pages.start()
  pages.loaded = false
  const { status, text } = await pages.get('/metrics')
  assert.equal(status, 503)
  assert.match(text, /not loaded yet/)
  pages.loaded = true
  assert.equal((await pages.get('/metrics')).status, 200)
})

test('every known label combination is there from the start, as 0', async () => {
  await using pages = await Pages.start()
  const samples = await pages.scrape()
  const labels = (set: Record<string, string>) =>
    Object.entries(set)
      .map(([name, value]) => `${name}="${value}"`)
      .join()
  const { known = [] } = streams.find(({ name }) => name === 'requests')!
  assert.ok(known.length > 10)
  const expected = [
    ...known.map((set) => `web_requests_total{${labels(set)}}`),
    ...['shop_orders_total', 'shop_ordered_units_total', 'shop_order_value_total'].flatMap((name) =>
      ['prepaid', 'credit'].map((payment) => `${name}{payment="${payment}"}`),
    ),
    ...['accepted', 'rejected', 'duplicate'].map(
      (result) => `meterbridge_records_total{topic="new_orders",partition="0",result="${result}"}`,
    ),
    ...['lost_records', 'recovered_records', 'skipped_offsets', 'undelivered_offsets'].map(
      (name) => `meterbridge_${name}_total{topic="web_requests",partition="0"}`,
    ),
    ...[
      'tombstone',
      'empty',
      'encoding',
      'json',
      'schema',
      'range',
      'time',
      'sequence',
      'undecodable',
    ].map((reason) => `meterbridge_rejected_records_total{topic="new_orders",reason="${reason}"}`),
    ...['late', 'future', 'too_late'].map(
      (name) => `meterbridge_${name}_events_total{stream="orders"}`,
    ),
    'meterbridge_evicted_dead_letters_total{topic="web_requests"}',
    'meterbridge_redriven_records_total{topic="web_requests"}',
    'meterbridge_rollup_errors_total{target="csv"}',
    'meterbridge_event_delay_seconds_count{stream="requests"}',
    'meterbridge_event_delay_seconds_bucket{stream="requests",le="+Inf"}',
    'meterbridge_commit_seconds_count',
    'meterbridge_position{topic="new_orders",partition="0"}',
    'meterbridge_closed_minute_timestamp_seconds{stream="orders"}',
  ]
  for (const name of expected) assert.equal(samples.get(name), '0', name)
})

test('what was counted is what is shown, beside the position that it is the fold up to', async () => {
  await using pages = await Pages.start()
  const deadLetters = [testLetter(3), testLetter(4, { reason: 'range' })]
  const events = { [MINUTE]: 2, [MINUTE + 60_000]: 1 }
  const sums = {
    duplicate: 4,
    undelivered: 5,
    skipped: 6,
    lost: 7,
    recovered: 8,
    future: 1,
    evicted: 9,
  }
  await pages.store.commit(testDelta({ from: 0, events, price: 25n, deadLetters, ...sums }))
  await pages.store.close('orders', MINUTE)
  await pages.store.commit(testDelta({ from: 29, events: { [MINUTE]: 1 }, price: 1n }))
  await pages.store.redrive(1, { ...testRedrive(30), records: 2, series: [], minutes: [] }, MINUTE)
  const samples = await pages.scrape()
  const place = 'topic="new_orders",partition="0"'
  const expected = {
    'shop_orders_total{payment="prepaid"}': 4,
    'shop_order_value_total{payment="prepaid"}': 76,
    [`meterbridge_records_total{${place},result="accepted"}`]: 4,
    [`meterbridge_records_total{${place},result="rejected"}`]: 11,
    [`meterbridge_records_total{${place},result="duplicate"}`]: 4,
    [`meterbridge_undelivered_offsets_total{${place}}`]: 5,
    [`meterbridge_skipped_offsets_total{${place}}`]: 6,
    [`meterbridge_lost_records_total{${place}}`]: 7,
    [`meterbridge_recovered_records_total{${place}}`]: 8,
    [`meterbridge_position{${place}}`]: 30,
    'meterbridge_rejected_records_total{topic="new_orders",reason="json"}': 10,
    'meterbridge_rejected_records_total{topic="new_orders",reason="range"}': 1,
    'meterbridge_evicted_dead_letters_total{topic="new_orders"}': 9,
    'meterbridge_redriven_records_total{topic="new_orders"}': 2,
    'meterbridge_late_events_total{stream="orders"}': 1,
    'meterbridge_future_events_total{stream="orders"}': 1,
    'meterbridge_closed_minute_timestamp_seconds{stream="orders"}': MINUTE / 1_000,
    'meterbridge_series{measure="shop_orders_total"}': 2,
  }
  for (const [name, value] of Object.entries(expected))
    assert.equal(samples.get(name), String(value), name)
  assert.ok(Number(samples.get('meterbridge_store_bytes')) > 4_096)
})

test('sums beyond 2^53 are printed as whole numbers, as near as a double is', async () => {
  await using pages = await Pages.start()
  const shown = async () => (await pages.scrape()).get('shop_order_value_total{payment="prepaid"}')
  await pages.store.commit(testDelta({ from: 0, events: { [MINUTE]: 1 }, price: 2n ** 53n + 3n }))
  assert.equal(await shown(), '9007199254740996')
  const rest = 2n ** 63n - 1n - (2n ** 53n + 3n)
  await pages.store.commit(testDelta({ from: 1, events: { [MINUTE]: 1 }, price: rest }))
  assert.match((await shown())!, /^922337203685477\d{4}$/)
})

test('a scrape is one moment: position and counters agree while commits go on, and nothing goes back', async () => {
  await using pages = await Pages.start()
  let last = -1
  for (let from = 0; from < 60; from += 3) {
    const committing = [0, 1, 2].map((i) =>
      pages.store.commit(testDelta({ from: from + i, events: { [MINUTE]: 1 } })),
    )
    const [samples] = await Promise.all([pages.scrape(), ...committing])
    const position = Number(samples.get('meterbridge_position{topic="new_orders",partition="0"}'))
    assert.equal(Number(samples.get('shop_orders_total{payment="prepaid"}')), position)
    assert.ok(position >= last)
    last = position
  }
})

test('a page made before a commit does not change by it', async () => {
  await using pages = await Pages.start()
  const durable = createDurable(streams)
  const families = durable(await pages.store.snapshot())
  const rendering = renderPage(families, undefined)
  await pages.store.commit(testDelta({ from: 0, events: { [MINUTE]: 1 } }))
  const samples = samplesOf((await rendering).body)
  assert.equal(samples.get('shop_orders_total{payment="prepaid"}'), '0')
})

test('what the process tells: lag, watermark, delays, failures, version', async () => {
  await using pages = await Pages.start()
  const timestamps = Float64Array.of(MINUTE - 5, MINUTE - 5_000, -1, MINUTE + 7)
  pages.metrics.committed('orders', timestamps, 0.002, MINUTE)
  pages.metrics.rollupFailed('csv')
  const samples = await pages.scrape()
  const expected = {
    'meterbridge_caught_up{stream="orders"}': '1',
    'meterbridge_consumer_lag_records{topic="new_orders",partition="0"}': '4',
    'meterbridge_lag_read_timestamp_seconds{topic="new_orders"}': String((MINUTE + 90_500) / 1_000),
    'meterbridge_watermark_timestamp_seconds{stream="orders"}': String((MINUTE + 88_500) / 1_000),
    'meterbridge_rollup_errors_total{target="csv"}': '1',
    'meterbridge_commit_seconds_bucket{le="0.001"}': '0',
    'meterbridge_commit_seconds_bucket{le="0.0025"}': '1',
    meterbridge_commit_seconds_sum: '0.002',
    // A record of the producer's future counts as not delayed; one without a timestamp tells nothing.
    'meterbridge_event_delay_seconds_bucket{stream="orders",le="0.005"}': '2',
    'meterbridge_event_delay_seconds_bucket{stream="orders",le="5"}': '3',
    'meterbridge_event_delay_seconds_count{stream="orders"}': '3',
    'meterbridge_event_delay_seconds_sum{stream="orders"}': '5.005',
    'meterbridge_event_delay_seconds_count{stream="requests"}': '0',
    [`meterbridge_build_info{version="1.2.3",node="${process.version}"}`]: '1',
  }
  for (const [name, value] of Object.entries(expected)) assert.equal(samples.get(name), value, name)
  assert.ok(Number(samples.get('meterbridge_data_free_bytes')) > 0)
})

test('a lag that was never read is not shown as none', async () => {
  await using pages = await Pages.start()
  pages.readAtMs = -1
  const samples = await pages.scrape()
  assert.ok(
    [...samples.keys()].every((name) => !name.startsWith('meterbridge_consumer_lag_records')),
  )
  assert.equal(samples.get('meterbridge_lag_read_timestamp_seconds{topic="new_orders"}'), '0')
})

test('promtool has nothing to say about the page', { skip: missingTool('promtool') }, async () => {
  await using pages = await Pages.start()
  pages.metrics.committed('orders', Float64Array.of(MINUTE), 0.002, MINUTE)
  await pages.store.commit(testDelta({ from: 0, events: { [MINUTE]: 1 } }))
  const { text, type } = await pages.get('/metrics')
  assert.match(type!, /^text\/plain; version=0\.0\.4/)
  const options = { input: text, encoding: 'utf8' } as const
  const { stdout, stderr, status } = spawnSync('promtool', ['check', 'metrics'], options)
  assert.deepEqual({ stdout, stderr, status }, { stdout: '', stderr: '', status: 0 })
})

test('Prometheus gets OpenMetrics, with the same numbers', async () => {
  await using pages = await Pages.start()
  await pages.store.commit(testDelta({ from: 0, events: { [MINUTE]: 3 } }))
  const { text, type } = await pages.get('/metrics', OPEN_METRICS)
  assert.match(type!, /^application\/openmetrics-text; version=1\.0\.0/)
  assert.match(text, /\n# EOF\n$/)
  assert.doesNotMatch(text, /\n\n/)
  const types = new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, kind]) => [name!, kind!]),
  )
  for (const [name, kind] of types) assert.ok(kind !== 'counter' || !name.endsWith('_total'), name)
  assert.equal(types.get('shop_orders'), 'counter')
  const plain = await pages.scrape()
  const open = samplesOf(text)
  assert.deepEqual([...open.keys()].sort(), [...plain.keys()].sort())
  assert.equal(open.get('shop_orders_total{payment="prepaid"}'), '3')
})

test('each metric is described once, with a HELP sentence', async () => {
  await using pages = await Pages.start()
  const { text } = await pages.get('/metrics')
  const helps = [...text.matchAll(/^# HELP (\S+) (.*)$/gm)]
  const names = helps.map(([, name]) => name!)
  assert.equal(new Set(names).size, names.length)
  for (const [, name, help] of helps) assert.match(help!, /^[A-Z].*[.\w]$/, name)
})

test('alive is the process that answers; ready is told with the reason why not', async () => {
  await using pages = await Pages.start()
  pages.readiness = { ready: false, why: 'new_orders/0 is behind <and> has not moved for 60 s' }
  assert.equal((await pages.get('/healthz')).status, 200)
  const not = await pages.get('/readyz')
  assert.deepEqual([not.status, not.text], [503, `${pages.readiness.why}\n`])
  assert.match((await pages.get('/')).text, /behind &lt;and&gt; has not moved/)
  pages.readiness = { ready: true }
  assert.equal((await pages.get('/readyz')).status, 200)
  assert.match((await pages.get('/')).text, /Counting\./)
  assert.equal((await pages.get('/nothing')).status, 404)
})
