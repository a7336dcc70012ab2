import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openSqliteStore } from '../../services/bridge/store/index.ts'
import type { CommandContext } from '../../services/commands/command.ts'
import { deadLetters } from '../../services/commands/dead-letters.ts'
import { parseTime } from '../../services/commands/time.ts'
import { createLogger } from '../../services/runtime/logger.ts'
import { readSettings } from '../../services/settings/settings.ts'
import { testDelta, testLetter } from '../bridge/test-delta.ts'
import { temporaryFolder } from '../harness/folder.ts'

const DAY = Date.UTC(2026, 4, 1)
const HOUR_MS = 3_600_000
const folder = temporaryFolder()

/** Four dead letters, one of them gone in its time, in the order 1 to 4. */
before(async () => {
  mkdirSync(join(folder.path, 'bridge'))
  const store = openSqliteStore(join(folder.path, 'bridge'))
  const key = { topic: 'new_orders', partition: 0, incarnation: 1 }
  await store.begin([{ ...key, stream: 'orders', start: 0 }])
  await store.begin([{ ...key, topic: 'web_requests', stream: 'requests', start: 0 }])
  const euro = Buffer.from('€')
  const letters = [
    testLetter(0, { timestampMs: DAY, key: Buffer.from([0xff, 0]) }),
    testLetter(1, { timestampMs: DAY + HOUR_MS, reason: 'range', detail: `${'x'.repeat(80)}\n` }),
    // Kept up to within its last character.
    testLetter(2, {
      timestampMs: -1,
      value: Buffer.concat([euro, euro.subarray(0, 2)]),
      valueBytes: 9,
    }),
  ]
  await store.commit(testDelta({ from: 0, deadLetters: letters, evicted: 7 }))
  const other = testDelta({ from: 0, deadLetters: [testLetter(0, { timestampMs: DAY })] })
  await store.commit({ ...other, key: { ...other.key, topic: 'web_requests' }, stream: 'requests' })
  await store.end()
})
after(() => folder[Symbol.dispose]())

async function run(...args: string[]) {
  const lines: string[] = []
  const settings = readSettings({ METERBRIDGE_DATA_DIR: folder.path })
  const logger = createLogger('dead-letters', 'error')
  const context: CommandContext = { settings, logger, print: (line) => void lines.push(line) }
  const code = await deadLetters.run(args, context)
  return { code, output: lines.join('\n') }
}

async function listed(...args: string[]) {
  const { output } = await run('list', '--json', ...args)
  const { letters, totals } = JSON.parse(output) as { letters: { id: number }[]; totals: object }
  return { ids: letters.map(({ id }) => id), totals }
}

test('dead letters are listed by topic, reason and time of the record, the newest first', async () => {
  const all = { letters: 4, waiting: 4, evicted: 7 }
  assert.deepEqual(await listed(), { ids: [4, 3, 2, 1], totals: all })
  assert.deepEqual(await listed('--limit', '2'), { ids: [4, 3], totals: all })
  assert.deepEqual((await listed('--topic', 'new_orders')).ids, [3, 2, 1])
  assert.deepEqual((await listed('--topic', 'web_requests')).totals, {
    ...{ letters: 1, waiting: 1, evicted: 0 },
  })
  assert.deepEqual((await listed('--reason', 'range')).ids, [2])
  assert.deepEqual((await listed('--since', '2026-05-01T00:30')).ids, [2])
  assert.deepEqual((await listed('--since', '2026-05-01', '--until', '2026-05-01')).ids, [4, 1])
  assert.deepEqual((await listed('--since', '1h')).ids, [])
})

test('for people it is a table of one line for each, with what was dropped', async () => {
  const { output } = await run('list')
  const lines = output.split('\n')
  assert.match(lines[0]!, /^id +record +reason +detail +time +bytes +state$/)
  assert.match(
    lines[3]!,
    /^ *2 +new_orders\/0@1 +range +x{60}… +2026-05-01T01:00:00.000Z +2 +waiting/,
  )
  assert.match(output, /4 dead letters, 4 not redriven; 4 shown\n\n7 older ones were dropped/)
})

test('one is shown with its bytes as text, or as hex where they are none', async () => {
  const first = JSON.parse((await run('show', '1', '--json')).output)
  assert.deepEqual([first.key, first.value], [{ hex: 'ff00' }, { text: 'no' }])
  const { output } = await run('show', '3')
  assert.match(output, /^time +unknown$/m)
  assert.match(output, /^value +9 bytes, of which the first are kept\n€$/m)
  await assert.rejects(run('show', '9'), /there is no dead letter 9/)
})

test('a wrong use is refused with what would do', async () => {
  const WRONG: [RegExp, string[]][] = [
    [/say `list`, `show <id>`/, []],
    [/say `list`, `show <id>`/, ['show']],
    [/say `list`, `show <id>`/, ['redrive']],
    [/say `list`, `show <id>`/, ['redrive', '1', '--all']],
    [/say `list`, `show <id>`/, ['redrive', '--all', '--limit', '3']],
    [/an id is a number of .*; got "x"/, ['redrive', 'x']],
    [/--reason is one of .*, undecodable; got "bad"/, ['list', '--reason', 'bad']],
    [/--limit is a number from 1 to 10000; got "0"/, ['list', '--limit', '0']],
    [/--since is a time such as .*; got "noon"/, ['list', '--since', 'noon']],
    [/Unknown option '--topics'/, ['list', '--topics', 'x']],
  ]
  for (const [message, args] of WRONG) {
    await assert.rejects(run(...args), (error: Error & { code?: string }) => {
      assert.match(error.message, message)
      return error.code!.startsWith('ERR_PARSE_ARGS')
    })
  }
})

test('a time is UTC unless it says otherwise, or so long ago', () => {
  const at = (text: string) => new Date(parseTime('--since', text, DAY)).toISOString()
  assert.equal(at('2026-05-01'), '2026-05-01T00:00:00.000Z')
  assert.equal(at('2026-05-01T12:30'), '2026-05-01T12:30:00.000Z')
  assert.equal(at('2026-05-01T12:30:01.5+02:00'), '2026-05-01T10:30:01.500Z')
  assert.equal(at('90m'), '2026-04-30T22:30:00.000Z')
  for (const none of ['2026-13-01', '12:30', '2h30m', ''])
    assert.throws(() => at(none), /is a time/)
})
