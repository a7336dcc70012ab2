import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { isIntact, readChain } from '../../services/bridge/rebuild/chain.ts'
import { refuseLost } from '../../services/bridge/store/index.ts'
import { LOG_NOW_MS } from '../bridge/random-log.ts'
import { startService } from '../harness/service.ts'
import { until } from '../harness/until.ts'
import { smallLog } from './small-logs.ts'
import { World } from './world.ts'

const ROUNDS = 2
const LONGEST_MS = 600

test('kill -9 at any moment of checkpoints, rebuilds and swaps leaves a whole store in place, and a chain that holds', async () => {
  using world = new World([smallLog(10, LOG_NOW_MS)])
  await world.bridge((store) => world.count(store, 0))
  const right = world.dump()
  const seed = Date.now() % 1_000
  for (let round = 0; round < ROUNDS; round++) {
    await using looping = startService('test/rebuild/swap-loop.ts', {}, [world.dataDir])
    await until('it has swapped once', () => looping.output().includes('.'))
    // Not a wait for anything: where in its work it is hit.
    await delay((seed * 7_919 * (round + 1)) % LONGEST_MS)
    await looping.end('SIGKILL')
    refuseLost(world.folder, world.lake)
    // Opening it looks for damage.
    await world.bridge(async () => {})
    for (const table of ['partitions', 'series', 'minutes', 'sources'])
      assert.deepEqual(world.dump()[table], right[table], `${table}, seed ${seed}`)
    const place = join(world.folder, 'checkpoints')
    const { checkpoints, broken } = readChain(place)
    assert.equal(broken, false)
    for (const one of checkpoints)
      assert.ok(!existsSync(join(place, one.file)) || (await isIntact(place, one)), one.file)
  }
})
