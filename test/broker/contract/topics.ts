import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, createTopic, produce, readAll, uniqueName, withAdmin } from '../clients.ts'

const PARTITIONS = 64

export function topicContract(brokers: string) {
  test('a created topic is listed with its partitions, and is not created twice', async () => {
    const topic = await createTopic(brokers, { numPartitions: 3 })
    await withAdmin(brokers, async (admin) => {
      assert.ok((await admin.listTopics()).includes(topic))
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      assert.deepEqual(topics[0]?.partitions.map((each) => each.partitionId).sort(), [0, 1, 2])
      assert.equal(await admin.createTopics({ topics: [{ topic }] }), false)
      assert.equal((await admin.describeCluster()).brokers.length, 1)
    })
  })

  const refused = [
    { what: 'an illegal name', config: { topic: 'no/slash' }, error: /INVALID_TOPIC|invalid/i },
    { what: 'no partitions', config: { numPartitions: 0 }, error: /number of partitions/i },
    { what: 'two replicas', config: { replicationFactor: 2 }, error: /replication.factor/i },
  ]
  for (const { what, config, error } of refused) {
    test(`a topic with ${what} is refused with the reason`, async () => {
      const topic = { topic: uniqueName('refused'), ...config }
      await withAdmin(brokers, async (admin) => {
        const failure = await admin.createTopics({ topics: [topic] }).catch((reason) => reason)
        assert.match(String(failure.errors?.[0]?.message ?? failure.message), error)
        assert.ok(!(await admin.listTopics()).includes(topic.topic))
      })
    })
  }

  test('a topic is not created by validating it', async () => {
    const topic = uniqueName('validated')
    await withAdmin(brokers, async (admin) => {
      const options = { validateOnly: true, waitForLeaders: false }
      assert.equal(await admin.createTopics({ ...options, topics: [{ topic }] }), true)
      assert.ok(!(await admin.listTopics()).includes(topic))
    })
  })

  test('a missing topic is unknown, and stays so when the client does not allow its creation', async () => {
    const topic = uniqueName('missing')
    const producer = connect(brokers).producer({
      allowAutoTopicCreation: false,
      retry: { retries: 0 },
    })
    await producer.connect()
    const sending = producer.send({ topic, messages: [{ value: 'lost' }] })
    await assert
      .rejects(sending, /does not host this topic-partition/)
      .finally(() => producer.disconnect())
    await withAdmin(brokers, async (admin) => {
      assert.ok(!(await admin.listTopics()).includes(topic))
    })
  })

  test(`${PARTITIONS} partitions each keep their own records`, async () => {
    const topic = await createTopic(brokers, { numPartitions: PARTITIONS })
    const all = Array.from({ length: PARTITIONS }, (_, partition) => partition)
    await produce(
      brokers,
      topic,
      all.map((partition) => ({ partition, value: `of ${partition}` })),
    )
    const received = await readAll(brokers, topic, PARTITIONS)
    for (const { partition, offset, value } of received) {
      assert.deepEqual([offset, String(value)], ['0', `of ${partition}`])
    }
    const offsets = await withAdmin(brokers, (admin) => admin.fetchTopicOffsets(topic))
    assert.deepEqual([...new Set(offsets.map(({ high }) => high))], ['1'])
  })
}
