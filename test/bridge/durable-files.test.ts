import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'
import pino from 'pino'
import { createPublisher } from '../../services/bridge/rollup/index.ts'
import { openSqliteStore } from '../../services/bridge/store/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'
import { temporaryFolder } from '../harness/folder.ts'

const MINUTE = Date.UTC(2026, 4, 1, 12)
const MINUTE_MS = 60_000
const requests = streams.find(({ name }) => name === 'requests')!

/** What was made durable, in order; the calls themselves are real. */
const done: string[] = []
const { open, rename } = fs
fs.open = async (path, flags, mode) => {
  const handle = await open(path, flags, mode)
  const sync = handle.sync.bind(handle)
  handle.sync = async () => {
    await sync()
    done.push(`sync ${path}`)
  }
  return handle
}
fs.rename = async (from, to) => {
  await rename(from, to)
  done.push(`rename ${from} ${to}`)
}
syncBuiltinESMExports()

test('a file is on the disk before it is in place, and in place for good before its day counts as written', async () => {
  using folder = temporaryFolder()
  const store = openSqliteStore(join(folder.path, 'bridge'))
  await store.addStream('requests', MINUTE, 0)
  const lake = join(folder.path, 'lake')
  const watched = {
    ...store,
    written: async (day: Parameters<typeof store.written>[0]) => {
      done.push('written')
      await store.written(day)
    },
  }
  const publisher = createPublisher(watched, lake, pino({ level: 'silent' }), () => {})
  await publisher.publish(requests, MINUTE, MINUTE + 2 * MINUTE_MS)
  await store.end()

  const before = done.slice(0, done.indexOf('written'))
  const renames = before.filter((call) => call.startsWith('rename'))
  const files = [
    'csv/requests/dt=2026-05-01/requests.csv',
    'manifests/requests/dt=2026-05-01/manifest.json',
  ]
  assert.deepEqual(
    renames.map((call) => relative(lake, call.split(' ')[2]!)),
    files,
  )
  for (const call of renames) {
    const [, from = '', to = ''] = call.split(' ')
    const at = before.indexOf(call)
    assert.ok(
      before.slice(0, at).includes(`sync ${from}`),
      `${from} is synced before it is renamed`,
    )
    // The folder's entry, and those of the folders that were made for it.
    for (let up = dirname(to); up.length >= lake.length; up = dirname(up)) {
      assert.ok(before.slice(at).includes(`sync ${up}`), `${up} is synced after the renaming`)
    }
  }
})
