import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { advance, type DeadLetter, type Delta } from '../../services/bridge/fold/index.ts'
import type { DayRows, Store } from '../../services/bridge/store/index.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { PREPAID, testDelta, testLetter, testRedrive } from './test-delta.ts'

/** What the port does not show, read beside the store. */
export type Inspection = {
  /** By column. */
  baselines: Map<string, bigint>
  minutes: Map<string, bigint>
  /** In order of burial. */
  deadLetters: (Pick<DeadLetter, 'offset' | 'reason' | 'key' | 'value' | 'valueBytes'> & {
    topic: string
    partition: number
  })[]
}

/** One adapter of the store port. `place` is an empty folder; the same place opens the same store. */
export type StoreAdapter = {
  open(place: string): Promise<Store>
  inspect(place: string): Inspection
}

const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const DAY = Date.UTC(2026, 4, 1)
const MAX_SOURCES = 1_000
const MAX_DEAD_LETTERS = 10_000
const SIGNED_64_MAX = 2n ** 63n - 1n

const KEY = { topic: 'new_orders', partition: 0, incarnation: 1 }
const begun = (changes: object = {}) => ({ ...KEY, stream: 'orders', start: 0, ...changes })

/** The promises of `Store`, which each adapter keeps. */
export function testStore(name: string, { open, inspect }: StoreAdapter) {
  /** A store in which partition 0 of `new_orders` begins at 0, and the stream `orders` on 1 May 2026. */
  async function withStore(work: (store: Store, place: string) => Promise<void>) {
    using folder = temporaryFolder()
    const store = await open(folder.path)
    try {
      await store.addStream('orders', DAY, DAY - 400 * DAY_MS)
      await store.begin([begun()])
      await work(store, folder.path)
    } finally {
      await store.end()
    }
  }

  const check = (promise: string, work: (store: Store, place: string) => Promise<void>) =>
    test(`${name}: ${promise}`, () => withStore(work))

  async function commit(store: Store, ...deltas: Delta[]) {
    for (const delta of deltas) assert.equal(await store.commit(delta), 'committed')
  }

  /** Everything but the size, which may change with what is undone. */
  async function everything(store: Store, place: string) {
    const { bytes: _, ...snapshot } = await store.snapshot()
    const states = [await store.partition('new_orders', 0), await store.partition('new_orders', 1)]
    return { snapshot, states, pending: await store.pendingDays('orders'), ...inspect(place) }
  }

  async function totalsOf(store: Store) {
    const { series } = await store.snapshot()
    return new Map(series.map(({ measure, value }) => [measure, value]))
  }

  async function streamOf(store: Store) {
    return (await store.snapshot()).streams.find(({ stream }) => stream === 'orders')!
  }

  /** Writes all days that pend, as a publisher does. */
  async function writeAll(store: Store): Promise<DayRows[]> {
    const days = await Promise.all(
      (await store.pendingDays('orders')).map((day) => store.day('orders', day)),
    )
    for (const day of days) await store.written(day)
    return days
  }

  test(`${name}: what was committed is there after opening again, and so is the store's id`, async () => {
    using folder = temporaryFolder()
    const delta = testDelta({
      from: 5,
      events: { [DAY]: 3 },
      price: 7n,
      undelivered: 2,
      lost: 4,
      recovered: 1,
      deadLetters: [testLetter(8)],
      fingerprint: { offset: 10, hash: 'ab' },
      maxTimeMs: DAY + 30_000,
      sources: {
        a: {
          last: 9,
          gaps: [
            { from: 2, to: 5 },
            { from: 7, to: 7 },
          ],
          seen: 10,
        },
        b: { last: 2 ** 53 - 1, gaps: [], seen: 9 },
      },
    })
    const first = await open(folder.path)
    await first.addStream('orders', DAY, 0)
    const [start] = await first.begin([begun({ start: 5 })])
    await commit(first, delta)
    const { id } = first
    const before = await everything(first, folder.path)
    await first.end()
    const second = await open(folder.path)
    assert.equal(second.id, id)
    assert.deepEqual(await second.partition('new_orders', 0), advance(start!, delta))
    assert.deepEqual(await everything(second, folder.path), before)
    await second.end()
  })

  test(`${name}: two stores have two ids`, async () => {
    using one = temporaryFolder()
    using other = temporaryFolder()
    const stores = [await open(one.path), await open(other.path)]
    assert.notEqual(stores[0]!.id, stores[1]!.id)
    for (const store of stores) await store.end()
  })

  check('a partition never seen has no state; several begin at once, each once', async (store) => {
    assert.equal(await store.partition('new_orders', 1), undefined)
    await commit(store, testDelta({ from: 0, events: { [DAY]: 4 } }))
    const states = await store.begin([begun({ start: 99 }), begun({ partition: 1, start: 7 })])
    assert.deepEqual(
      states.map(({ partition, position, incarnation }) => [partition, position, incarnation]),
      [
        [0, 4, 1],
        [1, 7, 1],
      ],
    )
  })

  const STALE: [string, Delta][] = [
    ['one that was applied', testDelta({ from: 0, events: { [DAY]: 3 } })],
    ['one that overlaps', testDelta({ from: 2, events: { [DAY]: 3 } })],
    ['one ahead of the position', testDelta({ from: 4, events: { [DAY]: 1 } })],
    ['one of a later incarnation', testDelta({ from: 3, incarnation: 2, events: { [DAY]: 1 } })],
    ['one of another partition', testDelta({ from: 3, partition: 1, events: { [DAY]: 1 } })],
  ]
  for (const [what, delta] of STALE) {
    check(`a delta that does not start at the position is stale: ${what}`, async (store, place) => {
      await commit(store, testDelta({ from: 0, events: { [DAY]: 3 } }))
      const before = await everything(store, place)
      const full = { ...delta, deadLetters: [testLetter(1)], rejected: { json: 1 } }
      assert.equal(await store.commit(full), 'stale')
      assert.deepEqual(await everything(store, place), before)
    })
  }

  check(
    'once a topic was made anew, what is read of the old one is stale',
    async (store, place) => {
      await commit(store, testDelta({ from: 0, events: { [DAY]: 3 } }))
      await store.begin([begun({ incarnation: 2, start: 0 })])
      const before = await everything(store, place)
      assert.equal(await store.commit(testDelta({ from: 3, events: { [DAY]: 1 } })), 'stale')
      assert.deepEqual(await everything(store, place), before)
      await commit(store, testDelta({ from: 0, incarnation: 2, events: { [DAY]: 2 } }))
      assert.equal((await totalsOf(store)).get('shop_orders_total'), 5n)
    },
  )

  check('sums are exact up to 2^63 - 1', async (store, place) => {
    await commit(store, testDelta({ from: 0, events: { [DAY]: 1 }, price: SIGNED_64_MAX - 2n }))
    await commit(store, testDelta({ from: 1, events: { [DAY]: 1 }, price: 2n }))
    assert.equal((await totalsOf(store)).get('shop_order_value_total'), SIGNED_64_MAX)
    assert.equal(inspect(place).minutes.get('total_orders_price'), SIGNED_64_MAX)
    await store.close('orders', DAY)
    const day = await store.day('orders', DAY)
    assert.equal(day.minutes[0]?.columns.get('total_orders_price'), SIGNED_64_MAX)
  })

  check(
    'a sum beyond 2^63 - 1 fails by name, and nothing of its delta is kept',
    async (store, place) => {
      await commit(store, testDelta({ from: 0, events: { [DAY]: 1 }, price: SIGNED_64_MAX }))
      const before = await everything(store, place)
      const delta = testDelta({
        from: 1,
        events: { [DAY]: 1 },
        deadLetters: [testLetter(2)],
        evicted: 3,
        sources: { a: { last: 1, gaps: [], seen: 1 } },
      })
      await assert.rejects(store.commit(delta), {
        message: `the sum shop_order_value_total ${PREPAID} would pass 2^63 - 1, the most that can be stored exactly`,
      })
      assert.deepEqual(await everything(store, place), before)
      await assert.rejects(store.commit({ ...delta, series: [] }), /total_orders_price of orders/)
      assert.deepEqual(await everything(store, place), before)
      await commit(store, { ...delta, series: [], minutes: [] })
    },
  )

  check('a source is remembered until 1,000 others were heard later', async (store) => {
    const state = (seen: number) => ({ last: 1, gaps: [], seen })
    const heard = Array.from(
      { length: MAX_SOURCES },
      (_, i) => [`s${i}`, state(1_000 + i)] as const,
    )
    await commit(store, testDelta({ from: 0, undelivered: 1, sources: Object.fromEntries(heard) }))
    await commit(store, testDelta({ from: 1, undelivered: 1, sources: { s0: state(5_000) } }))
    const later = { x: state(5_001), y: state(5_002) }
    await commit(store, testDelta({ from: 2, undelivered: 1, sources: later }))
    const { sources } = (await store.partition('new_orders', 0))!
    assert.equal(sources.size, MAX_SOURCES)
    for (const kept of ['s0', 's3', 'x', 'y']) assert.ok(sources.has(kept), kept)
    for (const gone of ['s1', 's2']) assert.ok(!sources.has(gone), gone)
  })

  check('sources are forgotten where a delta says so, of that partition alone', async (store) => {
    const sources = { a: { last: 3, gaps: [], seen: 0 } }
    await store.begin([begun({ partition: 1 })])
    await commit(store, testDelta({ from: 0, undelivered: 1, sources }))
    await commit(store, testDelta({ from: 0, partition: 1, undelivered: 1, sources }))
    const b = { b: { last: 1, gaps: [], seen: 4 } }
    await commit(store, testDelta({ from: 1, skipped: 3, forgetSources: true, sources: b }))
    assert.deepEqual([...(await store.partition('new_orders', 0))!.sources.keys()], ['b'])
    assert.deepEqual([...(await store.partition('new_orders', 1))!.sources.keys()], ['a'])
  })

  check('a dead letter is kept as it is, whether it has bytes or not', async (store, place) => {
    const bytes = Buffer.from([0, 255, 10, 39])
    const letters = [
      testLetter(0, { key: bytes, value: Buffer.alloc(1_024, 7), valueBytes: 5_000 }),
      testLetter(1, { reason: 'tombstone', value: null, valueBytes: 0 }),
      testLetter(2, { reason: 'undecodable', records: 40 }),
    ]
    await commit(store, testDelta({ from: 0, deadLetters: letters }))
    const kept = letters.map(({ offset, reason, key, value, valueBytes }) => ({
      ...{ topic: 'new_orders', partition: 0, offset, reason, key, value, valueBytes },
    }))
    assert.deepEqual(inspect(place).deadLetters, kept)
    const { rejected, partitions } = await store.snapshot()
    assert.deepEqual(rejected.map(({ reason, records }) => [reason, records]).sort(), [
      ['json', 1],
      ['tombstone', 1],
      ['undecodable', 40],
    ])
    assert.equal(partitions[0]?.rejected, 42)
  })

  check(
    '10,000 dead letters are kept per topic; the oldest go, and stay counted',
    async (store, place) => {
      const perDelta = 1_000
      for (let i = 0; i <= MAX_DEAD_LETTERS / perDelta; i++) {
        const from = i * (perDelta + 5)
        const deadLetters = Array.from({ length: perDelta }, (_, j) => testLetter(from + j))
        await commit(store, testDelta({ from, deadLetters, evicted: 5 }))
      }
      const { deadLetters } = inspect(place)
      assert.equal(deadLetters.length, MAX_DEAD_LETTERS)
      assert.equal(deadLetters[0]?.offset, perDelta + 5)
      const { evicted, rejected } = await store.snapshot()
      assert.deepEqual(evicted, [{ topic: 'new_orders', letters: perDelta + 55 }])
      assert.equal(rejected[0]?.records, 11 * (perDelta + 5))
      assert.equal(await store.letter(perDelta), 'evicted')
      assert.equal(await store.redrive(perDelta, testRedrive(0), DAY), 'gone')
      const oldest = await store.letter(perDelta + 1)
      assert.equal(typeof oldest === 'object' && oldest.offset, perDelta + 5)
      assert.equal(await store.letter(11 * perDelta + 1), undefined)
    },
  )

  check('a snapshot merges partitions and incarnations', async (store) => {
    await store.begin([begun({ partition: 1, start: 50 })])
    await commit(store, testDelta({ from: 0, events: { [DAY]: 3 }, duplicate: 1, maxTimeMs: DAY }))
    await commit(store, testDelta({ from: 50, partition: 1, events: { [DAY]: 2 }, lost: 6 }))
    await store.begin([begun({ incarnation: 2, start: 20 })])
    await commit(store, testDelta({ from: 20, incarnation: 2, events: { [DAY]: 4 }, skipped: 2 }))
    const { partitions } = await store.snapshot()
    const shown = partitions.map(({ partition, position, accepted, duplicate, skipped, lost }) => [
      ...[partition, position, accepted, duplicate, skipped, lost],
    ])
    assert.deepEqual(shown.sort(), [
      [0, 26, 7, 1, 2, 0],
      [1, 52, 2, 0, 0, 6],
    ])
    assert.equal(partitions.find(({ partition }) => partition === 0)?.maxTimeMs, -1)
    assert.equal((await totalsOf(store)).get('shop_orders_total'), 9n)
  })

  test(`${name}: position - start = accepted + rejected + duplicate + undelivered + skipped, always`, async () => {
    const count = fc.nat(5)
    const delta = fc.record({
      partition: fc.nat(1),
      /** Some are stale. */
      off: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
      events: fc.dictionary(
        fc.nat(3).map((i) => String(DAY + i * MINUTE_MS)),
        count,
      ),
      letters: fc.nat(2),
      duplicate: count,
      undelivered: count,
      skipped: count,
      evicted: count,
    })
    const property = fc.asyncProperty(fc.array(delta, { maxLength: 12 }), (deltas) =>
      withStore(async (store) => {
        await store.begin([begun({ partition: 1, start: 100 })])
        const starts = [0, 100]
        for (const { off, letters, ...given } of deltas) {
          const { position } = (await store.partition('new_orders', given.partition))!
          const deadLetters = Array.from({ length: letters }, (_, i) => testLetter(i))
          const made = testDelta({ ...given, from: position + off, deadLetters })
          assert.equal(await store.commit(made), off === 0 ? 'committed' : 'stale')
        }
        const { partitions, rejected } = await store.snapshot()
        for (const row of partitions) {
          const { accepted, duplicate, undelivered, skipped } = row
          const told = accepted + row.rejected + duplicate + undelivered + skipped
          assert.equal(row.position - starts[row.partition]!, told)
        }
        const sum = (numbers: number[]) => numbers.reduce((total, n) => total + n, 0)
        assert.equal(sum(rejected.map((r) => r.records)), sum(partitions.map((p) => p.rejected)))
        const accepted = sum(partitions.map((p) => p.accepted))
        assert.equal((await totalsOf(store)).get('shop_orders_total') ?? 0n, BigInt(accepted))
      }),
    )
    await fc.assert(property, { numRuns: 25 })
  })

  check('a stream keeps the first minute that it was made known with', async (store) => {
    await store.addStream('orders', DAY + DAY_MS, DAY)
    assert.equal((await streamOf(store)).firstMinuteMs, DAY)
    await assert.rejects(store.close('nobody', DAY), /stream nobody was not made known/)
  })

  check(
    'closing marks the days of its minutes, never goes back, and shows closed minutes alone',
    async (store) => {
      const before = DAY - 3 * DAY_MS
      const events = { [before]: 2, [DAY]: 1, [DAY + MINUTE_MS]: 1, [DAY + 2 * MINUTE_MS]: 1 }
      await commit(store, testDelta({ from: 0, events }))
      assert.deepEqual(await store.pendingDays('orders'), [])
      await store.close('orders', DAY + MINUTE_MS)
      // The days between have no events, and lie before the stream's first start.
      assert.deepEqual(await store.pendingDays('orders'), [before, DAY])
      const shown = async () =>
        (await store.day('orders', DAY)).minutes.map(({ minuteMs }) => minuteMs - DAY)
      assert.deepEqual(await shown(), [0, MINUTE_MS])
      await writeAll(store)
      assert.deepEqual(await store.pendingDays('orders'), [])
      await store.close('orders', DAY)
      assert.equal((await streamOf(store)).closedMinuteMs, DAY + MINUTE_MS)
      assert.deepEqual(await store.pendingDays('orders'), [])
      await store.close('orders', DAY + 2 * MINUTE_MS)
      assert.deepEqual(await store.pendingDays('orders'), [DAY])
      assert.deepEqual(await shown(), [0, MINUTE_MS, 2 * MINUTE_MS])
      assert.equal((await streamOf(store)).late, 0)
    },
  )

  check('minutes close without events too, over midnight and days', async (store) => {
    await store.close('orders', DAY + 2 * DAY_MS)
    const days = [DAY, DAY + DAY_MS, DAY + 2 * DAY_MS]
    assert.deepEqual(await store.pendingDays('orders'), days)
    await writeAll(store)
    await store.close('orders', DAY + 2 * DAY_MS + MINUTE_MS)
    assert.deepEqual(await store.pendingDays('orders'), [DAY + 2 * DAY_MS])
  })

  check(
    'a late event is counted, marks its day, and raises the revision once per written change',
    async (store) => {
      await commit(store, testDelta({ from: 0, events: { [DAY]: 1 } }))
      await store.close('orders', DAY + 5 * MINUTE_MS)
      assert.deepEqual(
        (await writeAll(store)).map(({ revision }) => revision),
        [1],
      )
      await commit(store, testDelta({ from: 1, events: { [DAY]: 2, [DAY + MINUTE_MS]: 1 } }))
      await commit(store, testDelta({ from: 4, events: { [DAY]: 1 } }))
      assert.equal((await streamOf(store)).late, 4)
      const [second] = await writeAll(store)
      assert.equal(second?.revision, 2)
      assert.equal(second?.minutes[0]?.columns.get('total_orders_num'), 4n)
      assert.deepEqual(await store.pendingDays('orders'), [])
      await commit(store, testDelta({ from: 5, events: { [DAY + MINUTE_MS]: 1 } }))
      assert.deepEqual(
        (await writeAll(store)).map(({ revision }) => revision),
        [3],
      )
      // A day that is written again for another reason keeps its revision.
      await store.close('orders', DAY + 6 * MINUTE_MS)
      assert.deepEqual(
        (await writeAll(store)).map(({ revision }) => revision),
        [3],
      )
    },
  )

  check('what changes while a day is written is written next', async (store) => {
    await store.close('orders', DAY)
    await writeAll(store)
    await commit(store, testDelta({ from: 0, events: { [DAY]: 1 } }))
    const reading = await store.day('orders', DAY)
    await commit(store, testDelta({ from: 1, events: { [DAY]: 1 } }))
    await store.written(reading)
    assert.deepEqual(await store.pendingDays('orders'), [DAY])
    const [next] = await writeAll(store)
    assert.equal(next?.revision, 3)
    assert.equal(next?.minutes[0]?.columns.get('total_orders_num'), 2n)
    assert.deepEqual(await store.pendingDays('orders'), [])
    const closing = await store.day('orders', DAY)
    await store.close('orders', DAY + MINUTE_MS)
    await store.written(closing)
    assert.deepEqual(await store.pendingDays('orders'), [DAY])
  })

  check(
    "a day's rows merge partitions, and tell the positions below which all is in them",
    async (store) => {
      await store.begin([begun({ partition: 1, start: 10 })])
      await commit(store, testDelta({ from: 0, events: { [DAY]: 3 } }))
      await commit(store, testDelta({ from: 10, partition: 1, events: { [DAY]: 4 } }))
      await store.close('orders', DAY)
      const { minutes, positions } = await store.day('orders', DAY)
      assert.equal(minutes[0]?.columns.get('total_orders_num'), 7n)
      assert.deepEqual(positions, [
        { ...KEY, position: 3 },
        { ...KEY, partition: 1, position: 14 },
      ])
    },
  )

  check(
    'sealing takes closed, written days alone; what comes later goes to the baseline',
    async (store, place) => {
      const events = { [DAY]: 1, [DAY + DAY_MS]: 2, [DAY + 2 * DAY_MS]: 4 }
      await commit(store, testDelta({ from: 0, events }))
      await store.seal('orders', DAY + 9 * DAY_MS)
      assert.equal((await streamOf(store)).sealedBeforeMs, DAY - 400 * DAY_MS)
      await store.close('orders', DAY + 2 * DAY_MS + MINUTE_MS)
      await store.seal('orders', DAY + 9 * DAY_MS)
      assert.equal(inspect(place).baselines.size, 0)
      await writeAll(store)
      await store.seal('orders', DAY + DAY_MS + 5 * MINUTE_MS)
      assert.equal(inspect(place).baselines.get('total_orders_num'), 1n)
      await store.seal('orders', DAY + 9 * DAY_MS)
      assert.equal((await streamOf(store)).sealedBeforeMs, DAY + 2 * DAY_MS)
      assert.equal(inspect(place).baselines.get('total_orders_num'), 3n)
      assert.equal(inspect(place).minutes.get('total_orders_num'), 4n)
      await commit(store, testDelta({ from: 7, events: { [DAY]: 5, [DAY + DAY_MS]: 5 } }))
      const { late, tooLate } = await streamOf(store)
      assert.deepEqual({ late, tooLate }, { late: 0, tooLate: 10 })
      assert.equal(inspect(place).baselines.get('total_orders_num'), 13n)
      assert.deepEqual(await store.pendingDays('orders'), [])
      await store.seal('orders', DAY)
      assert.equal((await streamOf(store)).sealedBeforeMs, DAY + 2 * DAY_MS)
    },
  )

  test(`${name}: total = baseline + minutes, whatever is committed, closed, written and sealed`, async () => {
    const day = fc.integer({ min: -3, max: 3 }).map((days) => DAY + days * DAY_MS)
    const minute = fc.tuple(day, fc.nat(3)).map(([dayMs, i]) => dayMs + i * MINUTE_MS)
    const step = fc.oneof(
      fc.record({ commit: fc.dictionary(minute.map(String), fc.integer({ min: 1, max: 9 })) }),
      fc.record({ close: minute }),
      fc.record({ write: fc.constant(true) }),
      fc.record({ seal: day }),
    )
    const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), (steps) =>
      withStore(async (store, place) => {
        const model = { late: 0, tooLate: 0 }
        for (const step of steps) {
          const { closedMinuteMs, sealedBeforeMs } = await streamOf(store)
          if ('commit' in step) {
            const { position } = (await store.partition('new_orders', 0))!
            await commit(store, testDelta({ from: position, events: step.commit, price: 3n }))
            for (const [minute, events] of Object.entries(step.commit)) {
              if (Number(minute) < sealedBeforeMs) model.tooLate += events
              else if (Number(minute) <= closedMinuteMs) model.late += events
            }
          } else if ('close' in step) await store.close('orders', step.close)
          else if ('seal' in step) await store.seal('orders', step.seal)
          else await writeAll(store)
          const { baselines, minutes } = inspect(place)
          const totals = await totalsOf(store)
          for (const [column, measure] of [
            ['total_orders_num', 'shop_orders_total'],
            ['total_orders_price', 'shop_order_value_total'],
          ] as const) {
            const sum = (baselines.get(column) ?? 0n) + (minutes.get(column) ?? 0n)
            assert.equal(sum, totals.get(measure) ?? 0n)
          }
        }
        const { late, tooLate } = await streamOf(store)
        assert.deepEqual({ late, tooLate }, model)
      }),
    )
    await fc.assert(property, { numRuns: 40 })
  })

  check('events of minutes to come are counted as such, and as nothing else', async (store) => {
    await commit(store, testDelta({ from: 0, events: { [DAY + DAY_MS]: 3 }, future: 2 }))
    const { future, late, tooLate } = await streamOf(store)
    assert.deepEqual({ future, late, tooLate }, { future: 2, late: 0, tooLate: 0 })
  })
}
