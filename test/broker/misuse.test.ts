import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { encodeBatch } from '../bridge/record-batch.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { freePort } from '../harness/ports.ts'
import { startService } from '../harness/service.ts'
import { until } from '../harness/until.ts'
import { createTopic, produce, readAll, uniqueName, values, withAdmin } from './clients.ts'
import { startDevelopmentBroker } from './development-broker.ts'
import { kcat, missingKcat } from './kcat.ts'
import { fetchRaw, produceRaw, RawClient } from './raw.ts'

const CORRUPT_MESSAGE = 2
const MESSAGE_TOO_LARGE = 10
const UNSUPPORTED_VERSION = 35
const INVALID_REQUEST = 42
const UNSUPPORTED_FOR_MESSAGE_FORMAT = 43

const folder = temporaryFolder()
const broker = await startDevelopmentBroker(folder.path)
after(async () => {
  await broker[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})
const { brokers } = broker

/** A frame with its length in front. */
function frame(...bytes: number[]): Buffer {
  return Buffer.from([0, 0, 0, bytes.length, ...bytes])
}

const HEADER = [0, 0, 0, 0, 0, 1, 0, 0] // of a request: version 0, correlation id 1, empty client id
const malformed = [
  { what: 'a browser', bytes: Buffer.from('GET / HTTP/1.1\r\n\r\n') },
  { what: 'a negative length', bytes: Buffer.from([255, 255, 255, 255]) },
  { what: 'an empty request', bytes: frame() },
  { what: 'a request of one byte', bytes: frame(0) },
  { what: 'an unknown API', bytes: frame(0, 99, ...HEADER) },
  { what: 'an array of 2 billion', bytes: frame(0, 3, ...HEADER, 127, 255, 255, 255) },
  { what: 'a string beyond the end', bytes: frame(0, 12, ...HEADER, 0, 50, 1, 2) },
  { what: 'a string of negative length', bytes: frame(0, 12, ...HEADER, 255, 200, 1, 2) },
]
for (const { what, bytes } of malformed) {
  test(`${what} costs its own connection and one log line`, async () => {
    const before = broker.output()
    const { socket } = await RawClient.open(brokers)
    socket.on('error', () => {})
    socket.resume()
    socket.write(bytes)
    await once(socket, 'close')
    const logged = broker.output().slice(before.length).trim().split('\n')
    assert.equal(logged.length, 1)
    assert.match(logged[0]!, /"level":40.*(malformed|no Kafka client|not supported)/)
    await withAdmin(brokers, (admin) => admin.listTopics())
  })
}

test('a client that goes in the middle of a request disturbs nobody', async () => {
  const { socket } = await RawClient.open(brokers)
  socket.end(Buffer.from([0, 0, 1, 0, 0, 0]))
  await once(socket.resume(), 'close')
  await withAdmin(brokers, (admin) => admin.listTopics())
})

test('to a newer ApiVersions it answers with what it supports', async () => {
  using client = await RawClient.open(brokers)
  const response = await client.ask(18, 3, (body) => body.int8(0))
  assert.equal(response.int16(), UNSUPPORTED_VERSION)
  const apis = response.array(() => [response.int16(), response.int16(), response.int16()])
  assert.deepEqual(
    apis.find(([key]) => key === 18),
    [18, 0, 2],
  )
})

test('a batch passes as it is though its contents are no records', async () => {
  const topic = await createTopic(brokers)
  const record = { value: 'v', timestampMs: 0 }
  const lies = [
    encodeBatch({ records: [record], codecId: 1, compress: () => Buffer.from('no gzip') }),
    encodeBatch({ records: [record], codecId: 7 }),
    encodeBatch({ records: [record], recordCount: 5, lastOffsetDelta: 4 }),
  ]
  for (const batch of lies) {
    const { error, baseOffset } = await produceRaw(brokers, topic, Buffer.from(batch))
    assert.equal(error, 0)
    const { batches } = await fetchRaw(brokers, topic, { offset: baseOffset })
    assert.ok(batches.subarray(16).equals(batch.subarray(16)))
  }
})

const valid = encodeBatch({ records: [{ value: 'v', timestampMs: 0 }] })
const magic = (value: number) => {
  const batch = Buffer.from(valid)
  batch[16] = value
  return batch
}
const records = [{ value: 'v', timestampMs: 0 }]
const refused = [
  { what: 'message format v0', batch: magic(0), code: UNSUPPORTED_FOR_MESSAGE_FORMAT },
  { what: 'message format v1', batch: magic(1), code: UNSUPPORTED_FOR_MESSAGE_FORMAT },
  { what: 'a later message format', batch: magic(3), code: CORRUPT_MESSAGE },
  { what: 'nothing', batch: Buffer.alloc(0), code: CORRUPT_MESSAGE },
  { what: 'half a batch', batch: valid.subarray(0, 65), code: CORRUPT_MESSAGE },
  { what: 'two batches at once', batch: Buffer.concat([valid, valid]), code: CORRUPT_MESSAGE },
  { what: 'no records', batch: encodeBatch({ records, recordCount: 0 }), code: CORRUPT_MESSAGE },
  {
    what: 'fewer offsets than records',
    batch: encodeBatch({ records, recordCount: 2 }),
    code: CORRUPT_MESSAGE,
  },
  {
    what: 'a transaction',
    batch: encodeBatch({ records, attributes: 0x10 }),
    code: INVALID_REQUEST,
  },
  {
    what: '17 MiB',
    batch: encodeBatch({ records: [{ value: Buffer.alloc(17 * 2 ** 20) }] }),
    code: MESSAGE_TOO_LARGE,
  },
]
for (const { what, batch, code } of refused) {
  test(`${what} is refused with error ${code} and leaves nothing`, async () => {
    const topic = await createTopic(brokers)
    assert.equal((await produceRaw(brokers, topic, Buffer.from(batch))).error, code)
    const [offsets] = await withAdmin(brokers, (admin) => admin.fetchTopicOffsets(topic))
    assert.equal(offsets?.high, '0')
  })
}

test('a record of 10 MiB passes', async () => {
  const topic = await createTopic(brokers)
  await produce(brokers, topic, [{ value: Buffer.alloc(10 * 2 ** 20, 'x') }])
  const [record] = await readAll(brokers, topic, 1)
  assert.equal(record?.value?.length, 10 * 2 ** 20)
})

test('a topic that kcat writes to comes into being', { skip: missingKcat() }, async () => {
  const topic = uniqueName('created-by-writing')
  await kcat(brokers, ['-P', '-t', topic], Buffer.from('first\n'))
  assert.deepEqual(values(await readAll(brokers, topic, 1)), ['first'])
})

test('a second broker on the same folder or port does not start and says why', async () => {
  await using onFolder = startService('services/broker/main.ts', {
    ...broker.variables,
    METERBRIDGE_BROKER_LISTEN: `127.0.0.1:${await freePort()}`,
  })
  await until('it ended', () => onFolder.process.exitCode !== null)
  assert.equal(await onFolder.end(), 1)
  assert.match(onFolder.output(), /^broker: another broker is using .*METERBRIDGE_DATA_DIR.*\n$/)

  using other = temporaryFolder()
  await using onPort = startService('services/broker/main.ts', {
    ...broker.variables,
    METERBRIDGE_DATA_DIR: other.path,
  })
  await until('it ended', () => onPort.process.exitCode !== null)
  assert.equal(await onPort.end(), 1)
  assert.match(onPort.output(), /^broker: .* is taken; .*METERBRIDGE_BROKER_LISTEN.*\n$/)
})
