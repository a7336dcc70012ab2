import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LOG_NOW_MS, randomLog } from '../bridge/random-log.ts'
import { publishedBy, World } from './world.ts'

const MINUTE_MS = 60_000
/** Each opens several stores; a failing one is told as it is, for shrinking it would take minutes. */
const RUNS = { numRuns: 3, endOnFailure: true }

const history = fc.record({
  logs: fc.tuple(randomLog, randomLog),
  /** Fetches of each partition before the checkpoint, and behind it. */
  before: fc.tuple(fc.nat(4), fc.nat(4)),
  behind: fc.tuple(fc.nat(4), fc.nat(4)),
  closedMinutesAgo: fc.nat(5),
})

for (const from of ['start', 'newest'] as const) {
  test(`a rebuild from ${from === 'start' ? 'the start' : 'a checkpoint'} of a random store equals it, table by table`, async () => {
    const property = fc.asyncProperty(history, async (given) => {
      using world = new World(given.logs)
      await world.bridge(async (store) => {
        for (const [partition, fetches] of given.before.entries())
          await world.count(store, partition, fetches)
        await world.publish(store, LOG_NOW_MS - given.closedMinutesAgo * MINUTE_MS)
        await world.checkpoint(store)
        for (const [partition, fetches] of given.behind.entries())
          await world.count(store, partition, fetches)
      })
      const report = await world.rebuild({ from })
      assert.equal(report.checkpoint !== undefined, from === 'newest')
      assert.deepEqual(report.compared, { differences: [], minutes: 0, first: [] })
      // What waits to be written is settled when the store is put in place.
      const waiting = { pending_days: [], late_minutes: [], revisions: [] }
      assert.deepEqual({ ...world.dump('rebuilt.db'), ...waiting }, { ...world.dump(), ...waiting })
      assert.equal(world.failures, 0)
    })
    await fc.assert(property, RUNS)
  })
}

test('put in place, it publishes the same files with the same revisions, and goes on counting', async () => {
  const property = fc.asyncProperty(history, fc.boolean(), async (given, fromStart) => {
    using world = new World(given.logs)
    using untouched = new World(given.logs)
    for (const one of [world, untouched]) {
      await one.bridge(async (store) => {
        for (const [partition, fetches] of given.before.entries())
          await one.count(store, partition, fetches)
        await one.publish(store, LOG_NOW_MS - (given.closedMinutesAgo + 1) * MINUTE_MS)
        await one.checkpoint(store)
        for (const [partition, fetches] of given.behind.entries())
          await one.count(store, partition, fetches)
        await one.publish(store, -1)
      })
    }
    const report = await world.rebuild({ from: fromStart ? 'start' : 'newest', swap: true })
    assert.equal(typeof report.swapped, 'string')
    for (const one of [world, untouched]) {
      await one.bridge(async (store) => {
        await one.count(store, 0)
        await one.count(store, 1)
        await one.publish(store, LOG_NOW_MS - MINUTE_MS)
      })
    }
    assert.deepEqual(publishedBy(world), publishedBy(untouched))
    const [rebuilt, old] = [world.dump(), untouched.dump()]
    for (const table of ['partitions', 'series', 'minutes', 'baselines', 'streams', 'sources'])
      assert.deepEqual(rebuilt[table], old[table], table)
  })
  await fc.assert(property, RUNS)
})
