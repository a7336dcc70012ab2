import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { Partitioners } from 'kafkajs'
import type { Connection } from '../../services/shop/outbox/connection.ts'
import { until } from '../harness/until.ts'
import {
  type Cluster,
  type ClusterKind,
  createTopics,
  DEVELOPMENT_BROKER,
  KAFKA,
} from './clusters.ts'
import { commandTests } from './commanding.ts'
import { numberOf, readTopic } from './records.ts'
import { refusalTests } from './refusals.ts'
import { sellingShop } from './relay.ts'
import { resendTests } from './resending.ts'
import { GOOD_FORM } from './shop.ts'

/** One beside the other: much of it waits for a broker to come back. */
describe('relay', { concurrency: 2 }, () => {
  for (const kind of [DEVELOPMENT_BROKER, KAFKA]) relayTests(kind)
})

function relayTests(kind: ClusterKind) {
  describe(`to ${kind.name}`, { skip: kind.skip, concurrency: 1 }, () => {
    let cluster: Cluster
    before(async () => {
      cluster = await kind.start()
    })
    beforeEach(() => cluster.empty())
    after(() => cluster.end())

    const create = (topics: string[], numPartitions = 1) =>
      createTopics(cluster.brokers, topics, { numPartitions })
    const createBoth = (partitions = 1) => create(['web_requests', 'new_orders'], partitions)
    const read = (topic: string) => readTopic(cluster.brokers, topic)
    const numbers = async (topic: string) => (await read(topic)).map(numberOf)

    test('every event arrives once, in order, with its time and a dense number', async () => {
      await createBoth(3)
      await using selling = sellingShop(cluster.brokers)
      const { shop } = selling
      selling.start('a')
      for (let i = 0; i < 20; i++) await shop.submit({ ...GOOD_FORM, amount: String(i + 1) })
      await selling.sent()

      const orders = await read('new_orders')
      const ids = orders.map(({ value }) => JSON.parse(value).order_id)
      assert.deepEqual(
        ids.toSorted((a, b) => a - b),
        Array.from({ length: 20 }, (_, i) => i + 1),
      )
      const requests = await read('web_requests')
      assert.equal(requests.length, 20)
      assert.deepEqual(new Set(requests.map(({ partition }) => partition)), new Set([0, 1, 2]))
      for (const partition of [0, 1, 2]) {
        for (const records of [orders, requests]) {
          const here = records.filter((record) => record.partition === partition)
          assert.deepEqual(
            here.map(numberOf),
            here.map((_, at) => `a#${at + 1}`),
          )
          const times = here.map(({ headers }) => Number(headers['mb-time']))
          assert.deepEqual(
            here.map(({ timestamp }) => timestamp),
            times,
          )
          assert.deepEqual(times, times.toSorted())
        }
      }
    })

    test('an order goes to the partition that any client would choose for its id', async () => {
      await createBoth(4)
      await using selling = sellingShop(cluster.brokers)
      for (let i = 0; i < 10; i++) await selling.shop.submit(GOOD_FORM)
      selling.start('a')
      await selling.sent()
      const choose = Partitioners.DefaultPartitioner()
      const partitionMetadata = [0, 1, 2, 3].map((partitionId) => ({ partitionId, leader: 1 }))
      for (const { key, value, partition } of await read('new_orders')) {
        assert.equal(key, String(JSON.parse(value).order_id))
        const message = { key, value: null }
        const topic = 'new_orders'
        assert.equal(
          partition,
          choose({ topic, message, partitionMetadata: partitionMetadata as never }),
        )
      }
    })

    test('while Kafka is away orders are taken and events kept; afterwards all arrive', async () => {
      await createBoth()
      await using selling = sellingShop(cluster.brokers)
      const { shop } = selling
      selling.start('a')
      await shop.submit(GOOD_FORM)
      await selling.sent()

      await cluster.kill()
      for (let i = 0; i < 600; i++) assert.equal((await shop.submit(GOOD_FORM)).status, 303)
      await until('the outage is told', () => selling.log.some((line) => /cannot be/.test(line)))
      assert.equal(shop.outbox.records, 1_200)
      await cluster.restart()
      await selling.sent()
      assert.equal(selling.log.filter((line) => /cannot be/.test(line)).length, 1)

      // What was in flight when it died may be there twice; by its number it is one.
      const expected = Array.from({ length: 601 }, (_, at) => `a#${at + 1}`)
      for (const topic of ['new_orders', 'web_requests']) {
        assert.deepEqual([...new Set(await numbers(topic))], expected)
      }
    })

    test('a batch whose acknowledgement is lost is sent again with the same numbers', async () => {
      await createBoth()
      await using selling = sellingShop(cluster.brokers)
      let lose = 2
      const loseAnswers = (connection: Connection): Connection => ({
        ...connection,
        async send(rows, stampedMs) {
          await connection.send(rows, stampedMs)
          if (lose-- > 0) throw new Error('the answer is lost')
        },
      })
      await selling.shop.get('/')
      selling.start('a', { disturb: loseAnswers })
      await selling.sent()
      await selling.shop.get('/')
      await selling.sent()
      assert.deepEqual(await numbers('web_requests'), ['a#1', 'a#1', 'a#1', 'a#2'])
    })

    test('an incarnation goes on where its predecessor ended, and says where that was', async () => {
      await createBoth()
      await using selling = sellingShop(cluster.brokers)
      const { shop } = selling
      for (const source of ['a', 'b']) {
        selling.start(source)
        for (let i = 0; i < 3; i++) await shop.get('/')
        await selling.sent()
        await selling.stop()
      }
      // c numbers two events and ends before Kafka has them: they stay c's.
      const refuse = async () => {
        throw new Error('no way through')
      }
      for (let i = 0; i < 2; i++) await shop.get('/')
      selling.start('c', { disturb: (connection) => ({ ...connection, send: refuse }) })
      await until('c has tried', () => selling.log.some((line) => /no way through/.test(line)))
      await selling.stop()
      await shop.get('/')
      selling.start('d')
      await selling.sent()
      assert.deepEqual(await numbers('web_requests'), [
        ...['a#1', 'a#2', 'a#3'],
        ...['b#1<a:3', 'b#2', 'b#3'],
        ...['c#1<b:3', 'c#2'],
        'd#1<c:2',
      ])
    })

    test("a missing topic holds up only its own events, is told once, and is found when it's made", async () => {
      await create(['web_requests'])
      await using selling = sellingShop(cluster.brokers)
      selling.start('a')
      await selling.shop.submit(GOOD_FORM)
      await selling.sent(1)
      assert.equal((await read('web_requests')).length, 1)
      const told = () => selling.log.filter((line) => line.includes('no topic new_orders'))
      await until('it is told', () => told().length > 0)
      await create(['new_orders'])
      await selling.sent()
      assert.equal((await read('new_orders')).length, 1)
      assert.equal(told().length, 1)
    })

    test('where it may, the shop makes its topics', async () => {
      await using selling = sellingShop(cluster.brokers)
      selling.start('a', { createTopics: true })
      await selling.shop.submit(GOOD_FORM)
      await selling.sent()
      assert.equal((await read('new_orders')).length, 1)
    })

    test('a topic that takes nothing holds up only its own events', async () => {
      await createBoth()
      await using selling = sellingShop(cluster.brokers)
      const refuseOrders = (connection: Connection): Connection => ({
        ...connection,
        async send(rows, stampedMs) {
          if (rows[0]?.topic === 'new_orders') throw new Error('too few replicas')
          await connection.send(rows, stampedMs)
        },
      })
      selling.start('a', { disturb: refuseOrders })
      for (let i = 1; i <= 3; i++) {
        await selling.shop.submit(GOOD_FORM)
        await selling.sent(i)
      }
      assert.deepEqual(await numbers('web_requests'), ['a#1', 'a#2', 'a#3'])
    })

    resendTests(() => cluster)
    if (kind === KAFKA) {
      refusalTests(() => cluster)
      commandTests(() => cluster)
      return
    }

    test('Kafka that hangs is told after some seconds, and when it answers again', async () => {
      await createBoth()
      await using selling = sellingShop(cluster.brokers)
      const { promise: released, resolve: release } = Promise.withResolvers<void>()
      const hang = (connection: Connection): Connection => ({
        ...connection,
        async send(rows, stampedMs) {
          await released
          await connection.send(rows, stampedMs)
        },
      })
      selling.start('a', { disturb: hang })
      await selling.shop.get('/')
      await until('it is told', () => selling.log.length > 0)
      assert.match(selling.log.join(), /^events cannot be sent to Kafka \(no answer for 5 s\);/)
      release()
      await until('the end is told', () => selling.log.length > 1)
      assert.equal(selling.log[1], 'events are sent to Kafka again')
    })
  })
}
