import assert from 'node:assert/strict'
import { test } from 'node:test'
import { temporaryFolder } from '../harness/folder.ts'
import { until } from '../harness/until.ts'
import { connect, createTopic, produce, readAll, startConsumer, values } from './clients.ts'
import { startDevelopmentBroker } from './development-broker.ts'
import { fetchRaw } from './raw.ts'
import { RawMember } from './raw-member.ts'

const SENT_BEFORE_KILL = 200
const PROMPT_MS = 2_000

test('every acknowledged record and offset is there after kill -9, and clients go on', async () => {
  using folder = temporaryFolder()
  await using broker = await startDevelopmentBroker(folder.path)
  const topic = await createTopic(broker.brokers)
  const groupId = 'counted'
  const producer = connect(broker.brokers).producer({ retry: { retries: 0 } })
  await producer.connect()
  const acknowledged: string[] = []
  const sending = (async () => {
    for (let i = 0; ; i++) {
      await producer.send({ topic, messages: [{ value: String(i) }] })
      acknowledged.push(String(i))
    }
  })().catch(() => {})
  await until('some are acknowledged', () => acknowledged.length >= SENT_BEFORE_KILL)
  {
    await using consumer = await startConsumer(broker.brokers, topic, { groupId })
    await consumer.gets(10)
  }
  await broker.end('SIGKILL')
  await sending
  await producer.disconnect().catch(() => {})

  await broker.restart()
  const kept = values(await readAll(broker.brokers, topic, acknowledged.length))
  assert.deepEqual(kept.slice(0, acknowledged.length), acknowledged)
  // The one under way may have been written and not answered, nothing else.
  assert.ok(kept.length <= acknowledged.length + 1)

  await produce(broker.brokers, topic, [{ value: 'after' }])
  await using consumer = await startConsumer(broker.brokers, topic, { groupId })
  await until('it reads to the end', () => values(consumer.received).includes('after'))
  assert.ok(Number(consumer.received[0]?.offset) >= 10, 'it goes on where it committed')
})

test('a consumer that runs survives kill -9 of the broker', async () => {
  using folder = temporaryFolder()
  await using broker = await startDevelopmentBroker(folder.path)
  const topic = await createTopic(broker.brokers)
  await using consumer = await startConsumer(broker.brokers, topic)
  await produce(broker.brokers, topic, [{ value: 'before' }])
  await consumer.gets(1)
  await broker.end('SIGKILL')
  await broker.restart()
  await produce(broker.brokers, topic, [{ value: 'after' }])
  await until('it goes on', () => values(consumer.received).includes('after'))
})

test('SIGTERM ends it at once, though clients are waiting, and nothing needs mending', async () => {
  using folder = temporaryFolder()
  await using broker = await startDevelopmentBroker(folder.path)
  const topic = await createTopic(broker.brokers)
  await produce(broker.brokers, topic, [{ value: 'kept' }])
  const waiting = fetchRaw(broker.brokers, topic, { offset: 1, maxWaitMs: 10_000 })
  const cutOff = assert.rejects(waiting, /connection ended|ECONNRESET/)
  using member = await RawMember.open(broker.brokers, 'group')
  await member.join()
  const started = performance.now()
  assert.equal(await broker.end('SIGTERM'), 0)
  assert.ok(performance.now() - started < PROMPT_MS)
  await cutOff
  await broker.restart()
  assert.deepEqual(values(await readAll(broker.brokers, topic, 1)), ['kept'])
  assert.doesNotMatch(broker.output(), /torn/)
})
