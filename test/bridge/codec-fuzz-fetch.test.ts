// First: it must come before kafkajs does.
import '../../services/bridge/source/raw-batches.ts'
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { Random } from '../simulation/random.ts'
import { encodeBatch, testBatch } from './record-batch.ts'

type Message = { offset: string; withheld: boolean; batch: { bytes: Buffer; isControl: boolean } }
type Aborted = { producerId: string; firstOffset: string }

/** kafkajs's own modules, as its consumer calls them: they are ours now. */
const require = createRequire(import.meta.url)
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => unknown
const decode = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages') as (
  decoder: unknown,
) => Promise<Message[]>
const filter = require('kafkajs/src/consumer/filterAbortedMessages') as (fetch: {
  messages: Message[]
  abortedTransactions: Aborted[]
}) => Message[]

const FETCHES = 5_000
const TRANSACTIONAL = 0x10
const CONTROL = 0x20
const ABORT = Buffer.from([0, 0, 0, 0])

const seed = Math.floor(Math.random() * 2 ** 31)
const random = new Random(seed)

const bytes = (most: number) =>
  Buffer.from(Array.from({ length: random.between(0, most) }, () => random.between(0, 255)))

/** As a fetch response holds it: its size first. */
const sized = (records: Buffer) => {
  const size = Buffer.alloc(4)
  size.writeInt32BE(records.length)
  return Buffer.concat([size, records])
}

/** Data, of a transaction or not, or a marker, whose key may be anything. */
function batchAt(baseOffset: number): Buffer {
  const control = random.chance(0.4)
  const key = random.pick([ABORT, Buffer.from([0, 0, 0, 1]), Buffer.alloc(3), null, bytes(8)])
  const batch = encodeBatch({
    baseOffset,
    records: [{ value: '1', key: control ? key : null }],
    codecId: random.chance(0.1) ? random.between(0, 7) : 0,
    attributes: (control ? CONTROL : 0) | (random.chance(0.7) ? TRANSACTIONAL : 0),
  })
  batch.writeBigInt64BE(BigInt(random.between(0, 3)), 43)
  for (let damages = random.chance(0.3) ? random.between(1, 4) : 0; damages > 0; damages--) {
    batch[random.between(12, batch.length - 1)] = random.between(0, 255)
  }
  return batch
}

test(`no fetch response, however damaged, ends the consumer, and what comes before the damage comes whole (seed ${seed})`, async () => {
  for (let fetch = 0; fetch < FETCHES; fetch++) {
    const batches = Array.from({ length: random.between(0, 8) }, (_, i) => batchAt(i))
    const tail = random.chance(0.5)
      ? bytes(100)
      : (batches.at(-1)?.subarray(0, random.between(0, 70)) ?? bytes(70))
    const messages = await decode(new Decoder(sized(Buffer.concat([...batches, tail]))))
    for (const [i, batch] of batches.entries()) {
      assert.ok(messages[i]?.batch.bytes.equals(batch), `batch ${i} of ${batches.length}`)
    }
    const abortedTransactions = Array.from({ length: random.between(0, 4) }, () => ({
      producerId: String(random.between(0, 3)),
      firstOffset: String(random.between(-1, 9)),
    }))
    const filtered = filter({ messages, abortedTransactions })
    assert.equal(filtered.length, messages.length)
    for (const { batch, withheld } of filtered) if (batch.isControl) assert.ok(withheld)
  }
})

test('random bytes are no fetch, and end nothing', async () => {
  for (let fetch = 0; fetch < FETCHES; fetch++) {
    const random = bytes(300)
    await decode(new Decoder(sized(random)))
    // Also where the response is shorter than the size that it says.
    await decode(new Decoder(sized(random).subarray(0, 4 + random.length / 2)))
  }
})

test('a marker that cannot be read is withheld and ends no transaction', () => {
  const batch = (offset: number, attributes: number, key: Buffer | null, recordCount = 1) => {
    const read = testBatch({
      baseOffset: offset,
      records: [{ value: '1', key }],
      attributes,
      recordCount,
    })
    return { offset: String(offset), withheld: read.isControl, batch: { ...read, producerId: 7n } }
  }
  const damaged = batch(1, TRANSACTIONAL | CONTROL, ABORT)
  damaged.batch.bytes = damaged.batch.bytes.subarray(0, 63)
  const messages = [
    batch(0, TRANSACTIONAL, null),
    damaged,
    batch(2, TRANSACTIONAL, null),
    batch(3, TRANSACTIONAL | CONTROL, null),
    batch(4, TRANSACTIONAL, null),
    batch(5, TRANSACTIONAL | CONTROL, ABORT),
    batch(6, TRANSACTIONAL, null),
  ]
  const filtered = filter({
    messages,
    abortedTransactions: [{ producerId: '7', firstOffset: '0' }],
  })
  assert.deepEqual(
    filtered.map(({ withheld }) => withheld),
    [true, true, true, true, true, true, false],
  )
})
