import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Writer } from '../../services/shop/database/writer.ts'
import { GOOD_FORM, temporaryShop } from './shop.ts'

test('an order is synced to the disk before it is answered; a page view only has to be written', async () => {
  using shop = temporaryShop()
  const synchronous = () => shop.database.$client.pragma('synchronous', { simple: true })
  await shop.get('/')
  assert.equal(synchronous(), 1)
  await shop.submit(GOOD_FORM)
  assert.equal(synchronous(), 2)
})

test('writes of one turn share a transaction; one that fails takes no neighbour along', async () => {
  using shop = temporaryShop()
  const client = shop.database.$client
  client.exec('create table notes (text text not null unique)')
  const writer = new Writer(shop.database)
  const note = (text: string | null) =>
    writer.write(() => {
      client.prepare('insert into notes values (?)').run(text)
      return client.inTransaction
    }, 'synced')
  const results = await Promise.allSettled([note('a'), note(null), note('b'), note('a'), note('c')])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
  )
  assert.deepEqual(shop.rows('select text from notes order by text'), [
    { text: 'a' },
    { text: 'b' },
    { text: 'c' },
  ])
})

test('the queue of writes is bounded', async () => {
  using shop = temporaryShop()
  const writer = new Writer(shop.database)
  const writes = Array.from({ length: 10_001 }, () => writer.write(() => 1, 'written'))
  const results = await Promise.allSettled(writes)
  assert.equal(results.filter(({ status }) => status === 'fulfilled').length, 10_000)
  assert.match(String((results.at(-1) as PromiseRejectedResult).reason), /more than 10000 writes/)
})
