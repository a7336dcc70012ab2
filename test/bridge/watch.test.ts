import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Progress, Watch } from '../../services/bridge/intake/index.ts'
import { EXIT } from '../../services/runtime/exit-codes.ts'
import { createLogger } from '../../services/runtime/logger.ts'
import type { StartError } from '../../services/runtime/start-error.ts'

const START = Date.UTC(2026, 4, 1, 12)
const ROUND_MS = 1_000
const NO_EVENT = -1
const NEVER = new AbortController().signal
const FULL = { sinceMs: START, reason: 'database or disk is full' }

/** A Kafka, an intake and a clock that do what the test says, with one partition per topic. */
class World {
  nowMs = START
  /** Existing topics, with their end offsets. */
  topics = new Map([
    ['web_requests', 0],
    ['new_orders', 0],
  ])
  answers = true
  /** A topic that exists and has no leader. */
  leaderless = ''
  canConnect = true
  unwritable: typeof FULL | undefined
  unassignedSinceMs: number | undefined
  renewed = 0
  read: string[][] = []
  failed: StartError[] = []
  readonly progress = new Map([...this.topics.keys()].map((topic) => [topic, new Progress()]))
  readonly watch = new Watch({
    cluster: {
      bounds: async (topic) => {
        const high = this.topics.get(topic)
        if (!this.answers || high === undefined || topic === this.leaderless)
          throw new Error('no answer')
        return { topicId: undefined, partitions: [{ partition: 0, low: 0, high }] }
      },
      topics: async () => {
        if (!this.answers) throw new Error('no answer')
        return new Set(this.topics.keys())
      },
      renew: async () => void this.renewed++,
    },
    source: {
      read: async (topics) => {
        this.read.push(topics)
        if (!this.canConnect) throw new Error('no answer')
      },
    },
    intake: worldIntake(this),
    progress: this.progress,
    reading: [...this.topics.keys()],
    now: () => this.nowMs,
    logger: createLogger('test', 'silent'),
    fail: (error) => void this.failed.push(error as StartError),
  })

  constructor() {
    for (const progress of this.progress.values()) progress.moved(0, 0, NO_EVENT, START)
  }

  async pass(seconds: number) {
    for (let second = 0; second < seconds; second++) {
      await this.watch.round(NEVER)
      this.nowMs += ROUND_MS
    }
  }

  why(): string {
    const state = this.watch.readiness()
    return state.ready ? 'ready' : state.why
  }
}

function worldIntake(world: World) {
  return {
    look: async () => {},
    get unwritable() {
      return world.unwritable
    },
    get unassignedSinceMs() {
      return world.unassignedSinceMs
    },
  }
}

test('where all goes well, nothing is done', async () => {
  const world = new World()
  await world.pass(300)
  assert.deepEqual([world.renewed, world.read, world.failed], [0, [], []])
  assert.equal(world.why(), 'ready')
})

for (const [how, fault] of [
  ['Kafka says nothing', (world: World) => (world.answers = false)],
  ['a partition does not move', (world: World) => world.topics.set('new_orders', 5)],
  ['no partition is assigned', (world: World) => (world.unassignedSinceMs = world.nowMs)],
] as const) {
  test(`${how}: connected anew once after 60 s, given up 60 s later`, async () => {
    const world = new World()
    await world.pass(10)
    fault(world)
    await world.pass(59)
    assert.equal(world.renewed, 0)
    await world.pass(4)
    assert.equal(world.renewed, 1)
    assert.deepEqual(world.read, [['web_requests', 'new_orders']])
    await world.pass(56)
    assert.deepEqual(world.failed, [])
    await world.pass(4)
    const [given] = world.failed as StartError[]
    assert.equal(given?.exitCode, EXIT.stalled)
    assert.match(given!.message, / since 2026-.*, and connecting anew did not help; /)
    assert.equal(world.renewed, 1)
  })
}

test('a stall that a new connection mends is over, and so is the patience that was used up', async () => {
  const world = new World()
  world.topics.set('new_orders', 5)
  await world.pass(63)
  assert.equal(world.renewed, 1)
  world.progress.get('new_orders')!.moved(0, 5, NO_EVENT, world.nowMs)
  await world.pass(300)
  assert.deepEqual([world.renewed, world.failed], [1, []])
  assert.equal(world.why(), 'ready')
})

test('a busy partition that is always a little behind is no stall', async () => {
  const world = new World()
  for (let end = 10; end < 200; end++) {
    world.topics.set('new_orders', end)
    world.progress.get('new_orders')!.moved(0, end - 9, NO_EVENT, world.nowMs)
    await world.pass(1)
  }
  assert.deepEqual([world.renewed, world.failed], [0, []])
})

test('a disk that is full is not the fault of Kafka, also not afterwards', async () => {
  const world = new World()
  world.topics.set('new_orders', 5)
  world.unwritable = FULL
  await world.pass(600)
  assert.match(world.why(), /^the store cannot be written: database or disk is full/)
  world.unwritable = undefined
  await world.pass(30)
  assert.deepEqual([world.renewed, world.failed], [0, []])
})

test('one topic without a leader is told, and gives up nothing for the others', async () => {
  const world = new World()
  world.topics.set('new_orders', 5)
  await world.pass(1)
  world.leaderless = 'new_orders'
  await world.pass(200)
  assert.match(world.why(), /^Kafka has not told where new_orders ends since 2026-/)
  assert.deepEqual([world.renewed, world.failed], [0, []])
})

test('a connection that cannot be made anew is tried again until it can', async () => {
  const world = new World()
  world.topics.delete('new_orders')
  world.canConnect = false
  await world.pass(20)
  assert.ok(world.read.length >= 3, `${world.read.length} attempts`)
  world.canConnect = true
  await world.pass(10)
  const attempts = world.read.length
  assert.deepEqual(world.read.at(-1), ['web_requests'])
  world.topics.set('new_orders', 0)
  await world.pass(10)
  assert.deepEqual(world.read.slice(attempts), [['web_requests', 'new_orders']])
})

test('no topic at all: nothing to connect for, and the reason is told', async () => {
  const world = new World()
  world.topics.clear()
  await world.pass(300)
  assert.equal(world.why(), 'none of the topics web_requests, new_orders exists')
  assert.deepEqual(world.failed, [])
})
