import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { temporaryFolder } from '../harness/folder.ts'
import { missingForKafka, startKafka } from '../kafka/kafka.ts'
import { createTopics } from './topics.ts'
import { underLoad } from './under-load.ts'

const OUTAGE_MS = 60_000
const COUNTING_AGAIN_MS = 15_000
/** Two a second, of each service. */
const MOST_LINES = 120

test('Kafka away for 60 s under load: orders are taken, all arrives, and is counted once', {
  skip: missingForKafka(),
}, async (context) => {
  using folder = temporaryFolder()
  await using kafka = await startKafka({ folder: join(folder.path, 'kafka') })
  await createTopics(kafka.brokers, 3)
  const totals = await underLoad(
    folder.path,
    kafka.brokers,
    async ({ shop, bridge, recoveryMs }) => {
      const lines = () => [shop, bridge].map(({ process }) => process.outputLines())
      const before = lines()
      process.kill(kafka.pid, 'SIGTERM')
      await kafka.exited
      await delay(OUTAGE_MS)
      const during = lines().map((count, i) => count - before[i]!)
      await kafka.restart()
      const ms = await recoveryMs()
      context.diagnostic(`counting again after ${ms} ms; lines of shop and bridge: ${during}`)
      assert.ok(ms < COUNTING_AGAIN_MS, `counting again after ${ms} ms`)
      assert.ok(Math.max(...during) < MOST_LINES, `lines of shop and bridge: ${during}`)
    },
  )
  context.diagnostic(JSON.stringify(totals))
  assert.equal(totals.unanswered + totals.failed, 0)
})
