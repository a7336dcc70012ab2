import assert from 'node:assert/strict'
import { rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import Database from 'better-sqlite3'
import { pino } from 'pino'
import { audit, auditRegularly } from '../../services/bridge/audit/index.ts'
import { createPublisher } from '../../services/bridge/rollup/index.ts'
import { openSqliteStore } from '../../services/bridge/store/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { startService } from '../harness/service.ts'
import { until } from '../harness/until.ts'
import { runAudit } from './command.ts'
import { broken, DAY, makeData, ORDERS_FILE } from './data.ts'

const silent = pino({ level: 'silent' })

describe('npm run meterbridge -- audit', () => {
  const folder = temporaryFolder()
  before(() => makeData(folder.path))
  after(() => folder[Symbol.dispose]())

  test('shows people what became of every record, where the totals stand, and what differs', async () => {
    using copy = broken(folder.path, "update rejections set records = 7 where topic = 'new_orders'")
    await using command = startService(
      'services/commands/main.ts',
      { METERBRIDGE_DATA_DIR: copy.path },
      ['audit'],
    )
    assert.equal(await command.exited, 1)
    const output = command.output()
    assert.match(output, /^new_orders\/0 +5 +3 +1 +1 +0 +0 +0 +2 +0$/m)
    assert.match(output, /^orders total_orders_price +450 +0 +450 +450 +0$/m)
    assert.match(
      output,
      /DIFFERENCE \(rejections\) new_orders\n {2}expected 1\n {2}found {4}7\n\n1 thing differs\./,
    )
  })

  test('writes a day anew once it is mended', async () => {
    using copy = broken(folder.path, '')
    rmSync(join(copy.path, 'lake', ORDERS_FILE))
    assert.equal((await runAudit(copy.path, ['--mend-files'])).code, 1)
    const pending = await audit(copy.path)
    assert.deepEqual([pending.differences.length, pending.notes.length], [0, 1])
    const store = openSqliteStore(join(copy.path, 'bridge'))
    const publisher = createPublisher(store, join(copy.path, 'lake'), silent, () => {})
    for (const stream of streams) await publisher.publish(stream, -1, DAY)
    await store.end()
    const mended = await audit(copy.path)
    assert.deepEqual([mended.differences, mended.notes], [[], []])
  })

  const refusals: [what: string, spoil: (file: string) => void, sentence: RegExp][] = [
    ['no store', (file) => rmSync(file), /there is no store .*bridge\.db; start the bridge once/],
    ['a damaged one', (file) => truncateSync(file, 20_000), /bridge\.db is damaged \(/],
    [
      'what is no database',
      (file) => writeFileSync(file, 'x'.repeat(9_000)),
      /bridge\.db is damaged \(/,
    ],
    [
      "a newer program's",
      migration('update __drizzle_migrations set created_at = created_at + 1e12'),
      /newer version/,
    ],
    [
      "an older program's",
      migration(
        'delete from __drizzle_migrations where created_at > (select min(created_at) from __drizzle_migrations)',
      ),
      /older version/,
    ],
  ]

  for (const [what, spoil, sentence] of refusals) {
    test(`says in a sentence that there is ${what}`, async () => {
      using copy = broken(folder.path, 'pragma journal_mode = delete')
      spoil(join(copy.path, 'bridge', 'bridge.db'))
      await assert.rejects(audit(copy.path), { name: 'StartError', message: sentence })
    })
  }

  test('--deep says that it needs a cluster, and that it cannot reach one', async () => {
    const none = await runAudit(folder.path, ['--deep'])
    assert.match(none.output, /^meterbridge audit: KAFKA_BROKERS is not set/)
    const away = await runAudit(folder.path, ['--deep'], { KAFKA_BROKERS: '127.0.0.1:9' })
    assert.match(
      away.output,
      /meterbridge audit: cannot reach Kafka at KAFKA_BROKERS=127\.0\.0\.1:9/,
    )
    assert.deepEqual([none.code, away.code], [1, 1])
  })
})

describe('the running bridge', () => {
  test('audits itself again and again, from a while after it is ready', async () => {
    using folder = temporaryFolder()
    await makeData(folder.path)
    const found: number[] = []
    const stopping = new AbortController()
    let ready = false
    const auditing = auditRegularly(
      {
        dataDir: folder.path,
        logger: silent,
        isReady: () => ready,
        onAudited: (differences) => found.push(differences),
        firstAfterMs: 10,
        periodMs: 50,
      },
      stopping.signal,
    )
    assert.deepEqual(found, [])
    ready = true
    await until('a clean audit', () => found.at(-1) === 0)
    rmSync(join(folder.path, 'lake', ORDERS_FILE))
    await until('the missing file is found', () => found.at(-1) === 1)
    truncateSync(join(folder.path, 'bridge', 'bridge.db'), 20_000)
    found.length = 0
    await until('the damage is found', () => found.at(-1) === 1)
    stopping.abort()
    await auditing
  })
})

function migration(sql: string) {
  return (file: string) => {
    const database = new Database(file)
    database.exec(sql)
    database.close()
  }
}
