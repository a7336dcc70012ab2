import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Kafka, logLevel, type SASLOptions } from 'kafkajs'
import { startKafka, useKafka } from './kafka.ts'

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
