import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { produce } from '../broker/clients.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { until } from '../harness/until.ts'
import { missingForKafka, startKafka } from '../kafka/kafka.ts'
import { type RunningBridge, startBridge } from './running-bridge.ts'
import { createTopics, order } from './topics.ts'

/** Counting goes on this long after the end of a fault. */
const AGAIN_WITHIN_MS = 15_000
const STOP_LIMIT_MS = 10_000
const DISK = '8m'

const skip = missingForKafka() ?? false
const kafka = skip ? undefined : await startKafka()
after(() => kafka?.stop())
if (kafka) await createTopics(kafka.brokers, 2)

const orders = (count: number) =>
  produce(
    kafka!.brokers,
    'new_orders',
    Array.from({ length: count }, (_, i) => ({ value: order(i) })),
  )

/** What the bridge told people, of all that it logged: warnings and worse. */
function told(bridge: RunningBridge): string[] {
  const lines = bridge.service().output().split('\n')
  const entries = lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))
  return entries.filter(({ level }) => level >= 40).map(({ msg }) => msg)
}

const tells = (bridge: RunningBridge, sentence: RegExp) =>
  until(
    `the bridge says ${sentence}`,
    () => told(bridge).some((line) => sentence.test(line)),
    30_000,
  )

describe('what the bridge needs is away for a while', { skip, concurrency: 1 }, () => {
  test('Kafka hangs: it is said once, and once when it is back; counting goes on', async () => {
    await using bridge = await startBridge(kafka!.brokers, { METERBRIDGE_START_FROM: 'latest' })
    await orders(1)
    await bridge.shows('shop_orders_total', {}, 1)
    process.kill(kafka!.pid, 'SIGSTOP')
    try {
      await tells(bridge, /^Kafka does not answer/)
    } finally {
      process.kill(kafka!.pid, 'SIGCONT')
    }
    await orders(1)
    await bridge.shows('shop_orders_total', {}, 2, AGAIN_WITHIN_MS)
    await tells(bridge, /^Kafka answers again/)
    assert.equal(told(bridge).length, 2, bridge.service().output())

    process.kill(kafka!.pid, 'SIGSTOP')
    try {
      const began = performance.now()
      assert.equal(await bridge.service().end('SIGTERM'), 0, bridge.service().output())
      assert.ok(performance.now() - began < STOP_LIMIT_MS)
    } finally {
      process.kill(kafka!.pid, 'SIGCONT')
    }
  })

  test('the disk is full: it is said once, and why it is not ready; with space again counting goes on by itself', {
    skip: process.getuid?.() === 0 ? false : 'only root may mount a small disk',
  }, async () => {
    using folder = temporaryFolder()
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'small', folder.path])
    try {
      await using bridge = await startBridge(kafka!.brokers, {
        METERBRIDGE_START_FROM: 'latest',
        METERBRIDGE_DATA_DIR: join(folder.path, 'data'),
        METERBRIDGE_LOG_LEVEL: 'debug',
      })
      await orders(1)
      await bridge.shows('shop_orders_total', {}, 1)
      const filler = join(folder.path, 'filler')
      fill(filler)
      await orders(500)
      await tells(bridge, /^the store cannot be written/)
      const ready = await bridge.readiness()
      assert.equal(ready.status, 503)
      assert.match(ready.text, /^the store cannot be written: .*disk is full, since /)
      rmSync(filler)
      await bridge.shows('shop_orders_total', {}, 501, AGAIN_WITHIN_MS)
      assert.equal((await bridge.readiness()).status, 200)
      const ofStore = told(bridge).filter((line) => line.startsWith('the store '))
      assert.equal(ofStore.length, 2, bridge.service().output())
      // The consumer stays what it is: no batch is thrown back at it, to come again and again.
      assert.doesNotMatch(bridge.service().output(), /Error when calling eachBatch/)
      assert.match(ofStore[1]!, /^the store can be written again after \d+ s$/)
      assert.equal(await bridge.service().end('SIGTERM'), 0)
    } finally {
      execFileSync('umount', ['-l', folder.path])
    }
  })
})

/** Takes all the space there is. */
function fill(path: string) {
  const file = openSync(path, 'w')
  try {
    for (;;) writeSync(file, Buffer.alloc(4_096))
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
  } finally {
    closeSync(file)
  }
}
