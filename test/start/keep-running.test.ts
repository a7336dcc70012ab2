import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EXIT } from '../../services/runtime/exit-codes.ts'
import { keepRunning } from '../../services/start/keep-running.ts'
import type { Service } from '../../services/start/service.ts'

/** A bridge that ends at once, like this. */
function ending(exitCode: number | null, why: string): Service {
  const ended = Promise.resolve({ exitCode, why, told: true })
  return { name: 'bridge', ended, end: async () => {} }
}

const NEVER = new AbortController().signal

test('what a fresh start mends is started again, later each time, with one line each', async () => {
  const lines: string[] = []
  const next = [
    ending(EXIT.kafkaUnreachable, 'Kafka is not there'),
    ending(EXIT.refused, 'a wrong variable'),
  ]
  const stalled = ending(EXIT.stalled, 'it stood still')
  const ended = await keepRunning(
    stalled,
    () => next.shift()!,
    (line) => lines.push(line),
    NEVER,
  )
  assert.equal(ended.why, 'a wrong variable')
  assert.deepEqual(lines, [
    'start: bridge: it stood still; starting it again in 1 s',
    'start: bridge: Kafka is not there; starting it again in 2 s',
  ])
})

for (const [how, exitCode] of [
  ['a refusal to start', EXIT.refused],
  ['an end in order', 0],
  ['an end by a signal', null],
] as const) {
  test(`${how} is not started again`, async () => {
    const again = () => assert.fail('started again')
    const ended = await keepRunning(ending(exitCode, 'so'), again, assert.fail, NEVER)
    assert.deepEqual(ended, { exitCode, why: 'so', told: true })
  })
}

test('while all are stopped, nothing is started again', async () => {
  const stopping = new AbortController()
  const again = () => assert.fail('started again')
  const kept = keepRunning(
    ending(EXIT.stalled, 'so'),
    again,
    () => stopping.abort(),
    stopping.signal,
  )
  assert.equal((await kept).exitCode, EXIT.stalled)
})
