import assert from 'node:assert/strict'
import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { createLogger } from '../../services/runtime/logger.ts'
import { readShop } from '../../services/shop/figures.ts'
import { listOutbox } from '../../services/shop/outbox-commands.ts'
import { openShop } from '../../services/shop/shop.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { GOOD_FORM, OLD_DATA, temporaryShop } from './shop.ts'

const open = (folder: string) => () => openShop(folder, createLogger('shop', 'silent')).close()

test('a database of the first schema is brought over with every row', () => {
  using shop = temporaryShop(OLD_DATA)
  assert.equal(shop.outbox.records, 7)
  assert.equal(shop.outbox.setAsideRecords, 1)
  const source = { topic: 'new_orders', partition: 0, source: 'second' }
  assert.deepEqual(readShop(shop.folder), {
    orders: 8,
    waiting: [
      { topic: 'new_orders', events: 3 },
      { topic: 'web_requests', events: 4 },
    ],
    setAside: [{ topic: 'new_orders', events: 1 }],
    sources: [
      { ...source, last: 1, waiting: [] },
      { ...source, topic: 'web_requests', last: 3, waiting: [2, 3] },
    ],
  })
})

test('a command neither makes nor changes a database: of none, and of an older one, it says what to do', () => {
  using empty = temporaryFolder()
  assert.throws(() => readShop(empty.path), /there is no shop's database .* METERBRIDGE_DATA_DIR/)
  assert.throws(() => listOutbox(OLD_DATA, 1), /made by an older meterbridge; start .* shop once/)
})

test('a database that a newer program has written is refused', async () => {
  using folder = temporaryFolder()
  open(folder.path)()
  const database = new Database(join(folder.path, 'shop/shop.db'))
  const later = 'select max(created_at) + 1 from __drizzle_migrations'
  database.exec(`insert into __drizzle_migrations (hash, created_at) values ('later', (${later}))`)
  database.close()
  const sentence = {
    name: 'StartError',
    message: /written by a newer meterbridge; run that version again, or put back the copy/,
  }
  assert.throws(open(folder.path), sentence)
  assert.throws(() => readShop(folder.path), sentence)
})

test('a damaged database is refused at start', async () => {
  using folder = temporaryFolder()
  open(folder.path)()
  const file = join(folder.path, 'shop/shop.db')
  const pageBytes = 4_096
  const descriptor = openSync(file, 'r+')
  writeSync(
    descriptor,
    Buffer.alloc(pageBytes, 0xa5),
    0,
    pageBytes,
    statSync(file).size - pageBytes,
  )
  closeSync(descriptor)
  assert.throws(open(folder.path), {
    name: 'StartError',
    message: /the shop's database .*shop\.db is damaged \(.+\); put back a good copy/,
  })
})

test('what is set aside is listed while the shop runs', async () => {
  using shop = temporaryShop(OLD_DATA)
  await shop.submit(GOOD_FORM)
  const list = listOutbox(shop.folder, 10)
  assert.deepEqual(
    list.waiting.map(({ topic, events }) => [topic, events]),
    [
      ['new_orders', 4],
      ['web_requests', 5],
    ],
  )
  assert.equal(list.setAside, 1)
  const [refused] = list.oldestSetAside
  assert.deepEqual([refused?.id, refused?.topic], [1, 'new_orders'])
  assert.match(refused?.error ?? '', /larger than the max message size/)
})
