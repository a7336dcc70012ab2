import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import Database from 'better-sqlite3'
import { audit, INVARIANTS } from '../../services/bridge/audit/index.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { broken, DAY, makeData, ORDERS_FILE } from './data.ts'

/** One edit for each way in which an invariant can be broken, and what it must be found by. */
const BROKEN: [sql: string, check: string, where: RegExp, expected: string, found: string][] = [
  [
    "update partitions set accepted = accepted + 1 where topic = 'web_requests'",
    'accounting',
    /^web_requests\/0, incarnation 1$/,
    '4',
    '5',
  ],
  [
    "update partitions set undelivered = -1, duplicate = duplicate + 1 where topic = 'web_requests'",
    'counts',
    /^web_requests\/0/,
    '0 or more',
    '-1',
  ],
  [
    'update partitions set redriven = 2 where rejected = 1',
    'counts',
    /^new_orders\/0/,
    '0 or more',
    '-1',
  ],
  [
    "update rejections set records = 7 where topic = 'new_orders'",
    'rejections',
    /^new_orders$/,
    '1',
    '7',
  ],
  [
    "insert into evictions values ('new_orders', 3)",
    'dead letters',
    /^new_orders$/,
    'at most 1',
    '4',
  ],
  [
    'update sources set gaps = \'[{"from":1,"to":3}]\'',
    'gaps',
    /^new_orders\/0, incarnation 1$/,
    'at most 2',
    '3',
  ],
  [
    'update sources set gaps = \'[{"from":3,"to":4}]\'',
    'gaps below the last number',
    /^new_orders\/0, source a$/,
    'gaps below 4, last seen below 5',
    '[{"from":3,"to":4}], last seen 3',
  ],
  [
    "update series set value = value - 1 where measure = 'web_requests_total' and labels like '%unknown%:%unknown%:%unknown%' and value = 2",
    'events',
    /^requests web_requests_total$/,
    '3',
    '2',
  ],
  [
    'update minutes set value = value + 30 where "column" = \'Total_paid_orders_price\' and partition = 1 and minute_ms = (select max(minute_ms) from minutes where partition = 1)',
    'columns',
    /^orders Total_paid_orders_price$/,
    '285',
    '315',
  ],
  [
    "insert into baselines values ('orders', 'total_orders_num', 5)",
    'columns',
    /^orders total_orders_num$/,
    '6',
    '11',
  ],
  [
    "insert into series values ('sold_total', '{}', 0, 5)",
    'names',
    /^measure sold_total$/,
    'a definition',
    'none',
  ],
  [
    `update streams set sealed_before_ms = ${DAY + 86_400_000} where stream = 'orders'`,
    'sealed days',
    /^orders 2026-05-01 00:01:00$/,
    'whole minutes from 2026-05-02 00:00:00',
    `${DAY + 60_000}`,
  ],
  [
    "update series set value = 'many' where measure = 'web_requests_total' and value = 1",
    'exact sums',
    /^web_requests_total /,
    'a whole number, 0 or more',
    'many',
  ],
  [
    "update series set value = 9223372036854775807 where measure = 'shop_order_value_total'",
    'columns',
    /^the store$/,
    'The total of a column is its baseline and its minutes: the series of its measure that fit its filter.',
    'integer overflow',
  ],
]

describe('the invariants', () => {
  const folder = temporaryFolder()
  before(() => makeData(folder.path))
  after(() => folder[Symbol.dispose]())

  test('hold of a store that was counted into', async () => {
    const { differences, notes, columns, partitions } = await audit(folder.path)
    assert.deepEqual([differences, notes], [[], []])
    const [num] = columns.filter(({ column }) => column === 'total_orders_num')
    const figures = { total: 6n, baseline: 0n, minutes: 6n, files: 6n, pending: 0n }
    assert.deepEqual(num, { stream: 'orders', column: 'total_orders_num', ...figures })
    assert.equal(partitions.length, 3)
  })

  for (const [sql, check, where, expected, found] of BROKEN) {
    test(`${check}: found after ${sql.slice(0, 60)}`, async () => {
      using copy = broken(folder.path, sql)
      const { differences } = await audit(copy.path)
      const told = differences.find((one) => one.check === check && where.test(one.where))
      assert.deepEqual(
        [told?.expected, told?.found],
        [expected, found],
        JSON.stringify(differences),
      )
    })
  }

  test('are each broken once above', () => {
    assert.deepEqual(
      new Set(BROKEN.map(([, check]) => check)),
      new Set(INVARIANTS.map(({ name }) => name)),
    )
  })

  test('stand in docs/reliability.md as they are checked, and run there on a copied database', () => {
    const page = readFileSync(resolve(import.meta.dirname, '../../docs/reliability.md'), 'utf8')
    const listed = [...page.matchAll(/^### (.+)\n\n(.+)\n\n```sql\n([^`]*)\n```$/gm)]
    assert.deepEqual(
      listed.map(([, name, sentence, sql]) => ({ name, sentence, sql })),
      INVARIANTS.map(({ name, sentence, sql }) => ({ name, sentence, sql: `${sql.trim()};` })),
    )
    using copy = broken(
      folder.path,
      "insert into baselines values ('orders', 'total_orders_num', 5)",
    )
    const database = new Database(join(copy.path, 'bridge', 'bridge.db'))
    const rows = listed.flatMap(([, , , sql = '']) => database.prepare(sql).all())
    assert.deepEqual(rows, [{ place: 'orders total_orders_num', expected: 6, found: 11 }])
    database.close()
  })

  test('a column that was taken out of the definition is not checked', async () => {
    const removed = "update definitions set removed = 1 where name = 'total_orders_num'"
    using copy = broken(
      folder.path,
      `${removed}; delete from minutes where "column" = 'total_orders_num'`,
    )
    assert.deepEqual((await audit(copy.path)).differences, [])
  })
})

describe('the minute files', () => {
  const folder = temporaryFolder()
  const file = (path: string) => join(path, 'lake', ORDERS_FILE)
  before(() => makeData(folder.path))
  after(() => folder[Symbol.dispose]())

  const edits: [what: string, edit: (path: string) => void, where: RegExp, found: RegExp][] = [
    ['a file that is missing', (path) => rmSync(file(path)), /orders\.csv$/, /^no file$/],
    [
      'a file that is cut',
      (path) => writeFileSync(file(path), readFileSync(file(path), 'utf8').slice(0, -5)),
      /orders\.csv$/,
      /its last line is cut off$/,
    ],
    [
      'an edited number',
      replaced('00:01:00,1,2,30', '00:01:00,1,3,30'),
      /2026-05-01 00:01:00$/,
      /^1,3,30/,
    ],
    [
      'a row too many',
      replaced('datetime,', '2026-05-01 00:00:00,0,0,0,0,0,0\n', 'behind'),
      /00:00:00$/,
      /^0,0,0/,
    ],
    ['a row too few', replaced('2026-05-01 01:01:00,1,3,45,0,0,0\n', ''), /01:01:00$/, /^no row$/],
    [
      'columns in another order',
      replaced('num,total_orders_amount', 'amount,total_orders_num'),
      /header$/,
      /./,
    ],
    ['what is no number', replaced('01:01:00,1,3', '01:01:00,1,x'), /orders\.csv$/, /line \d+ is/],
    [
      'a manifest of another file',
      (path) =>
        replaced('"sha256": "', '"sha256": "0')(
          path,
          'manifests/orders/dt=2026-05-01/manifest.json',
        ),
      /orders\.csv$/,
      /^[0-9a-f]{64}$/,
    ],
  ]

  for (const [what, edit, where, found] of edits) {
    test(`${what} is found, with the day to be written again`, async () => {
      using copy = broken(folder.path, '')
      edit(copy.path)
      const { differences } = await audit(copy.path)
      const told = differences.find((one) => where.test(one.where) && found.test(one.found))
      assert.deepEqual(told?.mend, { stream: 'orders', dayMs: DAY }, JSON.stringify(differences))
    })

    test(`${what} is no difference while the day waits to be written`, async () => {
      using copy = broken(folder.path, `insert into pending_days values ('orders', ${DAY}, 1)`)
      edit(copy.path)
      const { differences, notes, columns } = await audit(copy.path)
      assert.deepEqual(differences, [])
      assert.deepEqual(
        notes.map(({ where }) => where),
        ['orders 2026-05-01'],
      )
      for (const { minutes, files, pending } of columns) assert.equal(files + pending, minutes)
    })
  }
})

/** Puts one text for another into a file that must hold it. */
function replaced(from: string, to: string, how: 'for' | 'behind' = 'for') {
  return (path: string, name = ORDERS_FILE) => {
    const file = join(path, 'lake', name)
    const text = readFileSync(file, 'utf8')
    assert.ok(text.includes(from), `${from} is not in ${text.slice(0, 500)}`)
    const [first = '', ...rest] = text.split('\n')
    const edited = how === 'for' ? text.replace(from, to) : `${first}\n${to}${rest.join('\n')}`
    writeFileSync(file, edited)
  }
}
