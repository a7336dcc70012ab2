import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Redrive } from '../../services/bridge/fold/index.ts'
import type { Store, StoredLetter } from '../../services/bridge/store/index.ts'
import { temporaryFolder } from '../harness/folder.ts'
import type { StoreAdapter } from './store-contract.ts'
import { PREPAID, testDelta, testLetter, testRedrive } from './test-delta.ts'

const DAY_MS = 86_400_000
const DAY = Date.UTC(2026, 4, 1)
const NOW_MS = DAY + DAY_MS
const KEY = { topic: 'new_orders', partition: 0, incarnation: 1 }

/** The promises of `Store` about dead letters that are driven through again. */
export function testLetters(name: string, { open, inspect }: StoreAdapter) {
  /** A store with two orders of 1 May and the dead letters 1 and 2, of the offsets 2 and 3; the day is written. */
  const check = (promise: string, work: (store: Store, place: string) => Promise<void>) =>
    test(`${name}: ${promise}`, async () => {
      using folder = temporaryFolder()
      const store = await open(folder.path)
      await store.addStream('orders', DAY, DAY - 400 * DAY_MS)
      await store.begin([{ ...KEY, stream: 'orders', start: 0 }])
      const deadLetters = [testLetter(2), testLetter(3, { reason: 'range', detail: 'too much' })]
      const sources = { a: { last: 9, gaps: [{ from: 4, to: 6 }], seen: 3 } }
      await store.commit(testDelta({ from: 0, events: { [DAY]: 2 }, deadLetters, sources }))
      await store.close('orders', DAY)
      await store.written(await store.day('orders', DAY))
      try {
        await work(store, folder.path)
      } finally {
        await store.end()
      }
    })

  async function letter(store: Store, id: number): Promise<StoredLetter> {
    const found = await store.letter(id)
    assert.ok(found !== undefined && found !== 'evicted')
    return found
  }

  async function everything(store: Store, place: string) {
    const { bytes: _, ...snapshot } = await store.snapshot()
    const pending = await store.pendingDays('orders')
    const letters = [await store.letter(1), await store.letter(2)]
    return {
      snapshot,
      pending,
      letters,
      state: await store.partition('new_orders', 0),
      ...inspect(place),
    }
  }

  check('a dead letter is found by its id, with all that is known of it', async (store) => {
    const { id, key, hash, redrivenMs, redriveError, ...rest } = await letter(store, 2)
    assert.deepEqual(rest, {
      ...KEY,
      ...{ offset: 3, records: 1, reason: 'range', detail: 'too much', timestampMs: -1 },
      ...{ value: Buffer.from('no'), valueBytes: 2 },
    })
    assert.deepEqual([id, key, hash, redrivenMs, redriveError], [2, null, '00', null, null])
    for (const never of [0, -1, 3, 2 ** 53]) assert.equal(await store.letter(never), undefined)
  })

  check('redriven once, it is counted beside the first verdicts', async (store, place) => {
    const before = await everything(store, place)
    assert.equal(await store.redrive(1, testRedrive(4), NOW_MS), 'redriven')
    const after = await everything(store, place)
    const [partition] = after.snapshot.partitions
    assert.deepEqual(partition, { ...before.snapshot.partitions[0], redriven: 1 })
    assert.deepEqual(after.snapshot.rejected, before.snapshot.rejected)
    const orders = after.snapshot.series.find(({ measure }) => measure === 'shop_orders_total')
    assert.equal(orders?.value, 3n)
    assert.equal(after.minutes.get('total_orders_num'), 3n)
    assert.equal((await letter(store, 1)).redrivenMs, NOW_MS)
    // Its minute was closed and its day written: it is late, and the day is written again.
    assert.equal(after.snapshot.streams[0]?.late, 1)
    assert.deepEqual(after.pending, [DAY])
    assert.equal((await store.day('orders', DAY)).revision, 2)
  })

  check('redriven again it changes nothing, also after opening again', async (store, place) => {
    await store.redrive(1, testRedrive(4), NOW_MS)
    const before = await everything(store, place)
    assert.equal(await store.redrive(1, testRedrive(4), NOW_MS + 1), 'already')
    await store.keepLetter(1, 'too late to stay')
    assert.deepEqual(await everything(store, place), before)
    const again = await open(place)
    assert.equal(await again.redrive(1, testRedrive(4), NOW_MS + 1), 'already')
    await again.end()
    assert.deepEqual(await everything(store, place), before)
  })

  const STALE: [string, Partial<Redrive>][] = [
    ['elsewhere', { at: 3 }],
    ['of another partition', { key: { ...KEY, partition: 1 } }],
    ['of a later incarnation', { key: { ...KEY, incarnation: 2 } }],
  ]
  for (const [what, changes] of STALE) {
    check(`what was judged at a position ${what} is stale`, async (store, place) => {
      const before = await everything(store, place)
      assert.equal(await store.redrive(1, testRedrive(4, changes), NOW_MS), 'stale')
      assert.deepEqual(await everything(store, place), before)
    })
  }

  check('what was judged of a topic that was made anew since is stale', async (store, place) => {
    await store.begin([{ ...KEY, incarnation: 2, stream: 'orders', start: 4 }])
    const before = await everything(store, place)
    assert.equal(await store.redrive(1, testRedrive(4), NOW_MS), 'stale')
    assert.deepEqual(await everything(store, place), before)
  })

  check('a sum beyond 2^63 - 1 fails by name, and nothing of it is kept', async (store, place) => {
    const before = await everything(store, place)
    const series = [{ measure: 'shop_orders_total', labels: PREPAID, value: 2n ** 63n - 1n }]
    await assert.rejects(store.redrive(1, testRedrive(4, { series }), NOW_MS), /shop_orders_total/)
    assert.deepEqual(await everything(store, place), before)
  })

  check('the numbers of a batch that is readable now are kept with it', async (store) => {
    const sources = [{ source: 'a', state: { last: 9, gaps: [], seen: 3 } }]
    await store.redrive(1, testRedrive(4, { records: 3, recovered: 3, sources }), NOW_MS)
    const [partition] = (await store.snapshot()).partitions
    assert.equal(partition?.redriven, 3)
    assert.equal(partition?.recovered, 3)
    assert.deepEqual((await store.partition('new_orders', 0))?.sources.get('a')?.gaps, [])
  })

  check('an event of a sealed day goes to the baseline', async (store, place) => {
    const old = DAY - 500 * DAY_MS
    const [minute] = testRedrive(4).minutes
    await store.redrive(1, testRedrive(4, { minutes: [{ ...minute!, minuteMs: old }] }), NOW_MS)
    assert.equal(inspect(place).baselines.get('total_orders_num'), 1n)
    assert.equal((await store.snapshot()).streams[0]?.tooLate, 1)
    assert.deepEqual(await store.pendingDays('orders'), [])
  })

  check('why it stays is kept until it is counted', async (store) => {
    await store.keepLetter(1, 'not yet')
    assert.equal((await letter(store, 1)).redriveError, 'not yet')
    assert.equal((await letter(store, 2)).redriveError, null)
    await store.redrive(1, testRedrive(4), NOW_MS)
    assert.equal((await letter(store, 1)).redriveError, null)
  })
}
