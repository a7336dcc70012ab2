import { LOG_NOW_MS } from '../bridge/random-log.ts'
import { smallLog } from './small-logs.ts'
import { World } from './world.ts'

/** `node swap-loop.ts <data folder>`: makes checkpoints and puts rebuilt stores in place, again and again, until killed. */

const DAY_MS = 86_400_000
const world = new World([smallLog(10, LOG_NOW_MS)], process.argv[2]!)
for (let round = 0; ; round++) {
  world.nowMs = LOG_NOW_MS + round * DAY_MS
  await world.bridge((store) => world.checkpoint(store))
  await world.rebuild({ from: round % 2 === 0 ? 'start' : 'newest', swap: true })
  process.stdout.write('.')
}
