import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { Kafka, logLevel } from 'kafkajs'
import { temporaryFolder } from '../harness/folder.ts'
import { until } from '../harness/until.ts'
import { Random } from '../simulation/random.ts'
import { createTopic, produce, readAll, values, withAdmin } from './clients.ts'
import { startDevelopmentBroker } from './development-broker.ts'

const CONNECTIONS = 1_000
const AT_ONCE = 40
/** Some wait for others to join a group, or for records. */
const SILENCE_MS = 100
/** Of the whole process; it takes about 200 MiB when it answers for many partitions. */
const MAX_RESIDENT_BYTES = 512 * 2 ** 20
const LAST_API = 25

const seed = Math.floor(Math.random() * 2 ** 31)
const random = new Random(seed)
const folder = temporaryFolder()
const broker = await startDevelopmentBroker(folder.path)
after(async () => {
  await broker[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})

/** The requests of an ordinary client, with their lengths in front, as it makes a topic, writes and reads. */
async function recordRequests(): Promise<Buffer[]> {
  const requests: Buffer[] = []
  const kafka = new Kafka({
    brokers: [broker.brokers],
    logLevel: logLevel.NOTHING,
    socketFactory: ({ host, port, onConnect }) => {
      const socket = connect(port, host, onConnect)
      const write = socket.write.bind(socket) as (data: Buffer, encoding: string) => boolean
      socket.write = ((data: Buffer, encoding: string) => {
        requests.push(Buffer.from(data))
        return write(data, encoding)
      }) as Socket['write']
      return socket
    },
  })
  const [admin, producer] = [kafka.admin(), kafka.producer({ idempotent: true })]
  const consumer = kafka.consumer({ groupId: 'recording', sessionTimeout: 6_000 })
  await Promise.all([admin.connect(), producer.connect(), consumer.connect()])
  const [topic, groupId] = ['recording', 'recording']
  await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true })
  await producer.send({ topic, messages: [{ key: 'k', value: 'v', headers: { a: 'b' } }] })
  let read = 0
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({ eachMessage: async () => void read++ })
  await until('it reads', () => read > 0)
  await consumer.commitOffsets([{ topic, partition: 0, offset: '1' }])
  await admin.fetchOffsets({ groupId, topics: [topic] })
  await admin.fetchTopicOffsets(topic)
  await Promise.all([consumer.disconnect(), producer.disconnect(), admin.disconnect()])
  return requests
}

/** Bytes behind a right length, mostly; sometimes it lies. */
function frame(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(random.chance(0.95) ? bytes.length : random.between(-5, 10 ** 9))
  return Buffer.concat([length, bytes])
}

function randomFrame(): Buffer {
  const bytes = Buffer.from(
    Array.from({ length: random.between(0, 120) }, () => random.between(0, 255)),
  )
  if (bytes.length > 4 && random.chance(0.9)) {
    bytes.writeInt16BE(random.between(0, LAST_API), 0)
    bytes.writeInt16BE(random.between(0, 12), 2)
  }
  return frame(bytes)
}

/** A recorded request with some of its bytes changed. */
function spoiled(request: Buffer): Buffer {
  let bytes = Buffer.from(request.subarray(4))
  for (let changes = random.between(1, 3); changes > 0 && bytes.length > 0; changes--) {
    const at = random.between(0, bytes.length - 1)
    const kind = random.weighted({ set: 3, integer: 3, name: 1, cut: 1, double: 1 })
    if (kind === 'set') bytes[at] = random.between(0, 255)
    if (kind === 'integer' && at + 4 <= bytes.length) {
      bytes.writeInt32BE(random.pick([-1, -2, 0, 1, 2 ** 31 - 1, -(2 ** 31), 1_000]), at)
    }
    if (kind === 'name')
      bytes = Buffer.from(bytes.toString('latin1').replaceAll('recording', '__proto__'), 'latin1')
    if (kind === 'cut') bytes = bytes.subarray(0, at)
    if (kind === 'double')
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - 8))])
  }
  return frame(bytes)
}

/** Sends on a connection of its own, and goes when the broker has closed it, or answers no more. */
async function send(frames: Buffer[]) {
  const [host, port] = broker.brokers.split(':')
  const socket = connect(Number(port), host)
  socket.on('error', () => {})
  socket.resume()
  socket.setTimeout(SILENCE_MS, () => socket.destroy())
  socket.end(Buffer.concat(frames))
  if (!socket.closed) await once(socket, 'close')
}

function residentBytes(): number {
  const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${broker.pid()}/status`, 'utf8'))!
  return Number(kib) * 1_024
}

test(`no frames, random or nearly right, end the broker, confuse it or stay in it (seed ${seed})`, async () => {
  const requests = await recordRequests()
  for (let sent = 0; sent < CONNECTIONS; sent += AT_ONCE) {
    const sending = Array.from({ length: AT_ONCE }, () =>
      send(
        Array.from({ length: random.between(1, 4) }, () =>
          random.chance(0.3) ? randomFrame() : spoiled(random.pick(requests)),
        ),
      ),
    )
    await Promise.all(sending)
  }
  const resident = residentBytes()
  assert.ok(resident < MAX_RESIDENT_BYTES, `it holds ${resident} bytes`)
  const faults = broker
    .output()
    .split('\n')
    .filter((line) => line.includes('"level":50'))
  assert.deepEqual(faults, [], 'each is malformed for a reason that the broker knows')

  const topic = await createTopic(broker.brokers)
  await produce(broker.brokers, topic, [{ value: 'after' }])
  assert.deepEqual(values(await readAll(broker.brokers, topic, 1)), ['after'])
  await broker.end('SIGKILL')
  await broker.restart()
  assert.deepEqual(values(await readAll(broker.brokers, topic, 1)), ['after'])
  await withAdmin(broker.brokers, (admin) => admin.listTopics())
})
