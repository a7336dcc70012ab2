import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'

const HISTORIES = 10_000
const PROCESSES = 2
const LARGEST_SEED = 2 ** 31
const DEADLINE_MS = 19 * 60_000

test(`${HISTORIES} random histories equal their reference`, {
  timeout: DEADLINE_MS,
}, async (context) => {
  const first = Math.floor(Math.random() * LARGEST_SEED)
  context.diagnostic(`seeds from ${first}`)
  const share = HISTORIES / PROCESSES
  const codes = Array.from({ length: PROCESSES }, async (_, i) => {
    const args = [join(import.meta.dirname, 'range.ts'), String(first + i * share), String(share)]
    const child = spawn(process.execPath, args, {
      stdio: ['ignore', 'inherit', 'inherit'],
      signal: context.signal,
    })
    const [code] = await once(child, 'exit')
    return code
  })
  assert.deepEqual(
    await Promise.all(codes),
    codes.map(() => 0),
  )
})
