import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Numbering } from '../../services/shop/outbox/numbering.ts'
import { MAX_KEPT_EVENTS, MAX_KEPT_MS } from '../../services/shop/outbox/sent.ts'
import { Settlement } from '../../services/shop/outbox/settle.ts'
import { temporaryShop } from './shop.ts'

const NOW = 1_800_000_000_000
const TOPIC = 'web_requests'

/** A shop, and what acknowledges all that waits in it. */
function acknowledging() {
  const shop = temporaryShop()
  const settlement = new Settlement(shop.outbox)
  return {
    ...shop,
    acknowledge: async (source: string) => {
      const rows = await new Numbering(shop.outbox, source).next(TOPIC, 1, () => 0)
      await settlement.acknowledged(rows, NOW)
      return rows
    },
    /** Events as if acknowledged before, with these ids. */
    keep: (ids: number[], acknowledgedAt: number) => {
      const insert = shop.database.$client.prepare(
        `insert into outbox_sent (id, topic, value, event_time, "partition", source, sequence, acknowledged_at)
         values (?, '${TOPIC}', '1', 0, 0, 'before', ?, ?)`,
      )
      for (const id of ids) insert.run(id, id, acknowledgedAt)
    },
    keptIds: () => shop.rows<{ id: number }>('select id from outbox_sent').map(({ id }) => id),
  }
}

test('what was acknowledged is kept for a week, with its number and without more than Kafka was told', async () => {
  using shop = acknowledging()
  shop.keep([1, 2], NOW - MAX_KEPT_MS - 1)
  shop.keep([3], NOW - MAX_KEPT_MS)
  await shop.get('/')
  const [row] = await shop.acknowledge('a')
  assert.deepEqual(shop.keptIds(), [3, 4])
  assert.equal(shop.outbox.records, 0)
  const { value, eventTime: event_time } = row!
  assert.deepEqual(shop.rows('select * from outbox_sent where id = 4'), [
    {
      ...{ id: 4, topic: TOPIC, key: null, value, event_time },
      ...{ partition: 0, source: 'a', sequence: 1, previous: null, acknowledged_at: NOW },
    },
  ])
})

test('the oldest make room, a few with each acknowledgement', async () => {
  using shop = acknowledging()
  const tooMany = Array.from({ length: 250 }, (_, at) => at + 1)
  shop.keep([...tooMany, MAX_KEPT_EVENTS + tooMany.length - 1], NOW)
  for (const left of [152, 53, 4]) {
    await shop.get('/')
    await shop.acknowledge('a')
    assert.equal(shop.keptIds().length, left)
  }
})

test('the last numbers of the newest 1,000 incarnations are remembered per partition', async () => {
  using shop = acknowledging()
  const insert = shop.database.$client.prepare(
    'insert into outbox_sequences (topic, "partition", source, sequence) values (?, ?, ?, 7)',
  )
  for (let i = 0; i < 1_100; i++) insert.run(TOPIC, 0, `s${i}`)
  insert.run(TOPIC, 1, 'elsewhere')
  await shop.get('/')
  const [row] = await shop.acknowledge('a')
  assert.equal(row?.previous, 's1099:7')
  const sources = shop.rows<{ source: string }>('select source from outbox_sequences order by id')
  assert.equal(sources.length, 1_001)
  assert.deepEqual(
    [sources[0]?.source, ...sources.slice(-2).map(({ source }) => source)],
    ['s101', 'elsewhere', 'a'],
  )
})
