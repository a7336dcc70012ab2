import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { startService } from '../harness/service.ts'
import { missingForKafka } from '../kafka/kafka.ts'

const STARTING = 'test/torture/main.ts'

/** A test that runs the torture as people do; its output, with the seed, is part of the test's. */
export function tortureTest(rounds: number) {
  return async (context: TestContext) => {
    const missing = missingForKafka()
    if (missing && process.env.CI !== 'true') return context.skip(missing)
    await using torture = startService(STARTING, {}, ['--rounds', String(rounds)])
    // SIGTERM, and not what ends a service left over: it has processes of its own to end.
    context.after(() => torture.end('SIGTERM'))
    const code = await torture.exited
    context.diagnostic(torture.output())
    assert.equal(code, 0, torture.output())
  }
}
