import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTopic, produce, uniqueName } from '../clients.ts'
import { kcat, missingKcat } from '../kcat.ts'

const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

export function kcatContract(brokers: string) {
  const skip = missingKcat()

  for (const codec of CODECS) {
    test(`kcat gets back byte for byte what it sent with codec ${codec}`, { skip }, async () => {
      const topic = await createTopic(brokers)
      const lines = Array.from({ length: 500 }, (_, i) => `${i} é ${'text '.repeat(i % 20)}\n`)
      const sent = Buffer.from(lines.join(''))
      await kcat(brokers, ['-P', '-t', topic, '-z', codec], sent)
      const received = await kcat(brokers, ['-C', '-t', topic, '-e', '-q', '-o', 'beginning'])
      assert.ok(received.equals(sent))
    })
  }

  test('kcat as a group member reads what kafkajs wrote', { skip }, async () => {
    const topic = await createTopic(brokers)
    await produce(brokers, topic, [{ value: 'a' }, { value: 'b' }])
    const from = ['-X', 'auto.offset.reset=earliest']
    const received = await kcat(brokers, ['-G', uniqueName('kcat'), ...from, '-c', '2', topic])
    assert.equal(String(received), 'a\nb\n')
  })

  test('kcat asks for the offsets of a topic', { skip }, async () => {
    const topic = await createTopic(brokers)
    await produce(brokers, topic, [{ value: 'a' }, { value: 'b' }])
    const latest = await kcat(brokers, ['-Q', '-t', `${topic}:0:-1`])
    assert.match(String(latest), /offset 2/)
  })
}
