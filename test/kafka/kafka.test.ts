import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Kafka, logLevel, type SASLOptions } from 'kafkajs'
import { missingForPython, produceForeign, startKafka, useKafka } from './kafka.ts'

const kafka = await useKafka()

function connect(brokers: string, more: { ssl?: { ca: string[] }; sasl?: SASLOptions } = {}) {
  return new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING, ...more }).admin({
    retry: { retries: 0 },
  })
}

test('the shared Kafka answers on its plaintext listener', { skip: kafka.skip }, async () => {
  const admin = connect(kafka.brokers)
  await admin.connect()
  assert.equal((await admin.describeCluster()).brokers.length, 1)
  await admin.disconnect()
})

for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const) {
  test(`its SASL_SSL listener takes ${mechanism}`, { skip: kafka.skip }, async () => {
    const { brokers, username, password } = kafka.sasl
    const ssl = { ca: [readFileSync(kafka.tls.ca, 'utf8')] }
    const admin = connect(brokers, { ssl, sasl: { mechanism, username, password } })
    await admin.connect()
    await admin.disconnect()

    const stranger = connect(brokers, { ssl, sasl: { mechanism, username, password: 'wrong' } })
    await assert.rejects(stranger.connect(), /[Aa]uthentication failed/)
  })
}

test('records survive kill -9 and a restart at the same address', {
  skip: kafka.skip,
}, async () => {
  await using own = await startKafka()
  const before = own.pid
  const admin = connect(own.brokers)
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'kept' }] })
  await admin.disconnect()

  await own.kill9()
  assert.throws(() => process.kill(before, 0), { code: 'ESRCH' })
  await own.restart()
  const again = connect(own.brokers)
  await again.connect()
  assert.deepEqual(await again.listTopics(), ['kept'])
  await again.disconnect()
})

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const python = kafka.skip || missingForPython() || false

test('kafka-python produces orders in every codec, and over SASL_SSL', {
  skip: python,
}, async () => {
  const admin = connect(kafka.brokers)
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'foreign' }] })
  for (const codec of CODECS) {
    const { brokers } = kafka
    const totals = await produceForeign({ brokers, topic: 'foreign', codec, count: 30 })
    assert.deepEqual([totals.orders, totals.paidOrders], [30, 10])
  }
  const { brokers, username, password } = kafka.sasl
  const secure = { ca: kafka.tls.ca, mechanism: 'SCRAM-SHA-512' as const, username, password }
  await produceForeign({ brokers, topic: 'foreign', codec: 'none', count: 30, secure })
  assert.equal((await admin.fetchTopicOffsets('foreign'))[0]?.offset, '180')
  await admin.disconnect()
})
