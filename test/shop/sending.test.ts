import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { createLogger } from '../../services/runtime/logger.ts'
import type { NumberedRow } from '../../services/shop/outbox/numbering.ts'
import { Relay } from '../../services/shop/outbox/relay.ts'
import { until } from '../harness/until.ts'
import { temporaryShop } from './shop.ts'

type Stored = { id: number; source: string | null; sequence: number | null }

test('an event is numbered on the disk before it is sent, and leaves the outbox only when Kafka has it', async () => {
  using shop = temporaryShop()
  // Another connection sees what is committed, and nothing else.
  const beside = new Database(join(shop.folder, 'shop', 'shop.db'), { readonly: true })
  const stored = () =>
    beside.prepare<[], Stored>('select id, source, sequence from outbox order by id').all()
  const numbers = (rows: Stored[]) =>
    rows.map(({ id, source, sequence }) => ({ id, source, sequence }))
  for (let i = 0; i < 3; i++) await shop.get('/')
  const sent: NumberedRow[] = []
  const wrong: string[] = []
  const relay = new Relay({
    outbox: shop.outbox,
    connect: async () => ({
      partitions: async (topics) => new Map(topics.map((topic) => [topic, 1])),
      createTopics: async () => {},
      send: async (rows) => {
        const waiting = JSON.stringify(numbers(stored()))
        if (waiting !== JSON.stringify(numbers(rows))) wrong.push(waiting)
        sent.push(...rows)
        if (sent.length === rows.length) throw new Error('the answer is lost')
      },
      close: async () => {},
    }),
    source: 'a',
    createTopics: false,
    logger: createLogger('shop', 'silent'),
  })
  try {
    await until('all is sent', () => stored().length === 0)
  } finally {
    await relay.stop()
    beside.close()
  }
  assert.deepEqual(wrong, [])
  assert.deepEqual(
    sent.map(({ source, sequence }) => `${source}#${sequence}`),
    ['a#1', 'a#2', 'a#3', 'a#1', 'a#2', 'a#3'],
  )
})
