import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'
import {
  ABSENT,
  batchSizeAt,
  INVALID,
  type RecordBatch,
  RecordReader,
  readBatchHeader,
} from '../../services/bridge/codec/index.ts'
import { createFold } from '../../services/bridge/fold/index.ts'
import { streams } from '../../services/bridge/streams/index.ts'
import { COMPRESSIONS } from './compressions.ts'
import { accounting, partitionState } from './partition-state.ts'
import { encodeBatch, type TestBatch, testBatch, varint } from './record-batch.ts'

const MAY_2026 = Date.UTC(2026, 4, 1)
const MIB = 1024 * 1024
const LOG_APPEND_TIME = 0x08
const orders = streams.find(({ name }) => name === 'orders')!
const ORDER = '{"order_id":7,"order_amount":2,"order_total_price":30,"is_paid":true}'

function readAll(batch: RecordBatch) {
  const reader = new RecordReader(batch)
  const records = []
  while (reader.next()) {
    const { offset, timestampMs, timeMs, sequence, source, previous } = reader
    const text = (start: number, end: number) =>
      start < 0 ? null : reader.bytes.toString('utf8', start, end)
    const key = text(reader.keyStart, reader.keyEnd)
    const value = text(reader.valueStart, reader.valueEnd)
    records.push({ offset, timestampMs, key, value, timeMs, sequence, source, previous })
  }
  return records
}

/** One batch, from its base offset on. */
function fold(batch: RecordBatch) {
  const state = partitionState({ position: batch.baseOffset })
  return createFold(orders).run(state, [batch], batch.lastOffset + 1, 0, MAY_2026)
}

const PLAIN = { timeMs: ABSENT, sequence: ABSENT, source: undefined, previous: undefined }

for (const { name, codecId, compress } of COMPRESSIONS) {
  test(`${name}: offsets, timestamps, keys, values and headers come out as they went in`, () => {
    const long = 'long '.repeat(40_000)
    const batch = testBatch({
      baseOffset: 2 ** 40,
      codecId,
      compress,
      records: [
        { value: ORDER, key: 'k', timestampMs: MAY_2026 },
        { value: null, timestampMs: MAY_2026 - 5_000, offsetDelta: 3 },
        { value: '', key: '', timestampMs: MAY_2026 + 7 },
        {
          value: long,
          timestampMs: MAY_2026,
          headers: {
            'mb-time': '1777593600123',
            'mb-source': 'shop-1',
            'mb-seq': '41',
            'mb-prev': 'shop-0:9',
            'mb-times': '1',
            other: 'x',
          },
        },
      ].map((record, i) => ({ offsetDelta: [0, 3, 4, 200][i], ...record })) as TestBatch['records'],
    })
    assert.deepEqual(readAll(batch), [
      { ...PLAIN, offset: 2 ** 40, timestampMs: MAY_2026, key: 'k', value: ORDER },
      { ...PLAIN, offset: 2 ** 40 + 3, timestampMs: MAY_2026 - 5_000, key: null, value: null },
      { ...PLAIN, offset: 2 ** 40 + 4, timestampMs: MAY_2026 + 7, key: '', value: '' },
      {
        offset: 2 ** 40 + 200,
        timestampMs: MAY_2026,
        key: null,
        value: long,
        timeMs: 1_777_593_600_123,
        sequence: 41,
        source: 'shop-1',
        previous: 'shop-0:9',
      },
    ])
  })

  test(`${name}: what no program compressed is an error, not a hang`, () => {
    const whole = encodeBatch({ records: [{ value: ORDER }, { value: ORDER }], codecId, compress })
    const damaged = Buffer.concat([whole.subarray(0, 61), Buffer.alloc(300, 0xfb)])
    assert.throws(() => readAll(readBatchHeader(damaged)), Error)
    assert.throws(() => readAll(readBatchHeader(whole.subarray(0, 70))), Error)
    const { counts, deadLetters } = fold(readBatchHeader(damaged))
    assert.equal(counts.rejected, 2)
    assert.deepEqual(
      deadLetters.map(({ reason, offset, records }) => ({ reason, offset, records })),
      [{ reason: 'undecodable', offset: 0, records: 2 }],
    )
  })
}

test('timestamps: the broker’s where it stamps, none where there is none, far ones as they are', () => {
  const times = (batch: TestBatch) =>
    readAll(testBatch(batch)).map(({ timestampMs }) => timestampMs)
  const records = [
    { value: '1', timestampMs: 5 },
    { value: '1', timestampMs: MAY_2026 },
  ]
  assert.deepEqual(times({ records }), [5, MAY_2026])
  const stamped = { records, attributes: LOG_APPEND_TIME, maxTimestampMs: MAY_2026 + 9 }
  assert.deepEqual(times(stamped), [MAY_2026 + 9, MAY_2026 + 9])
  assert.deepEqual(times({ records: [{ value: '1', timestampMs: -1 }] }), [-1])
  const lastOf9999 = Date.UTC(9999, 11, 31, 23, 59, 59, 999)
  const far = [lastOf9999, lastOf9999 + 1, 2 ** 62, -(2 ** 62)]
  assert.deepEqual(times({ records: far.map((timestampMs) => ({ value: '1', timestampMs })) }), [
    lastOf9999,
    -1,
    -1,
    -1,
  ])
})

test('a header that should be a number and is none is told apart from one that is not set', () => {
  const sequenceOf = (text: string) =>
    readAll(testBatch({ records: [{ value: '1', headers: { 'mb-seq': text } }] }))[0]!.sequence
  assert.equal(sequenceOf('007'), 7)
  assert.equal(sequenceOf('9007199254740991'), Number.MAX_SAFE_INTEGER)
  for (const text of ['', '-1', '1e3', ' 1', '1.5', '9007199254740992', '00000000000000001', 'x']) {
    assert.equal(sequenceOf(text), INVALID, text)
  }
})

test('a batch of 130,000 records is read like any other', () => {
  const records = Array.from({ length: 130_000 }, () => ({ value: ORDER }))
  const bytes = encodeBatch({ records, codecId: 4, compress: (plain) => zstdCompressSync(plain) })
  const reader = new RecordReader(readBatchHeader(bytes))
  let read = 0
  while (reader.next()) read++
  assert.equal(read, 130_000)
  assert.equal(reader.offset, 129_999)
})

for (const codecId of [5, 6, 7]) {
  test(`codec ${codecId}, which does not exist, is refused by name`, () => {
    const batch = testBatch({ records: [{ value: ORDER }], codecId })
    assert.throws(() => new RecordReader(batch), {
      message: `compression codec ${codecId} is unknown`,
    })
    assert.equal(fold(batch).counts.rejected, 1)
  })
}

const OLD_FORMATS = [0, 1]
for (const magic of OLD_FORMATS) {
  test(`a message of format ${magic} is one dead letter at its offset`, () => {
    const bytes = Buffer.alloc(40)
    bytes.writeBigInt64BE(12n, 0)
    bytes.writeInt32BE(28, 8)
    bytes[16] = magic
    assert.equal(batchSizeAt(bytes, 0), 40)
    const { deadLetters, counts } = fold(readBatchHeader(bytes))
    assert.deepEqual(
      { rejected: counts.rejected, offset: deadLetters[0]?.offset },
      { rejected: 1, offset: 12 },
    )
    assert.match(deadLetters[0]!.detail, new RegExp(`message format ${magic} is older`))
  })
}

/** What each says it would become; all are small as they lie in Kafka. */
const BOMBS: [string, number, () => Buffer][] = [
  ['gzip', 1, () => bomb('gzip')],
  ['zstd', 4, () => bomb('zstd')],
  ['snappy that says 1 GiB', 2, () => Buffer.from([0x80, 0x80, 0x80, 0x80, 0x04, 0, 0])],
  ['lz4 of 60 blocks', 3, lz4Bomb],
]

function bomb(name: string): Buffer {
  return COMPRESSIONS.find((one) => one.name === name)!.compress(Buffer.alloc(130 * MIB))
}

function lz4Bomb(): Buffer {
  const block = Buffer.alloc(4 + 20_000)
  block.writeUInt32LE(20_000)
  const header = Buffer.from('04224d18407000', 'hex')
  return Buffer.concat([header, ...Array.from({ length: 60 }, () => block), Buffer.alloc(4)])
}

for (const [name, codecId, make] of BOMBS) {
  test(`a decompression bomb is given up at its bound: ${name}`, () => {
    const body = make()
    assert.ok(body.length < 2 * MIB)
    const batch = testBatch({ records: [{ value: ORDER }], codecId, compress: () => body })
    const before = process.memoryUsage.rss()
    assert.throws(() => new RecordReader(batch), Error)
    assert.ok(process.memoryUsage.rss() - before < 400 * MIB)
  })
}

/** Bodies on which the decompressors themselves would run for ever, or nearly. */
const ENDLESS: [string, number, string][] = [
  ['a snappy literal of a negative length, back to its own start', 2, '10fcfaffffff0000'],
  ['an lz4 frame without its end mark', 3, '04224d1840700000000080'],
  ['an lz4 frame with block checksums', 3, '04224d1850700000000000'],
]

for (const [name, codecId, body] of ENDLESS) {
  test(`${name} is refused at once`, () => {
    const compress = () => Buffer.from(body, 'hex')
    const batch = testBatch({ records: [{ value: ORDER }], codecId, compress })
    assert.throws(() => new RecordReader(batch), /snappy|lz4/)
  })
}

test('a record cut in the middle: those before count, the rest is one dead letter of their number', () => {
  const whole = encodeBatch({
    baseOffset: 100,
    records: Array.from({ length: 10 }, () => ({ value: ORDER })),
  })
  const recordBytes = (whole.length - 61) / 10
  const delta = fold(readBatchHeader(whole.subarray(0, Math.round(61 + recordBytes * 4.5))))
  assert.deepEqual(accounting(delta), { offsets: 10, told: 10 })
  assert.equal(delta.counts.accepted, 4)
  assert.equal(delta.rejected.undecodable, 6)
  assert.deepEqual(
    delta.deadLetters.map(({ offset, records, detail }) => ({ offset, records, detail })),
    [
      {
        offset: 104,
        records: 6,
        detail: 'a record is cut off; 6 records up to offset 109 cannot be read',
      },
    ],
  )
})

test('the record before a damaged one stays the fingerprint by which the log is recognised', () => {
  const records = [
    { value: ORDER, key: 'a' },
    { value: ORDER, key: 'b' },
  ]
  const good = fold(testBatch({ records: records.slice(0, 1) }))
  const whole = encodeBatch({ records })
  // The last byte is the second record's number of headers: all before it is read well.
  whole[whole.length - 1] = 2
  const damaged = fold(readBatchHeader(whole))
  assert.equal(damaged.counts.accepted, 1)
  assert.deepEqual(damaged.fingerprint, good.fingerprint)
})

test('a batch damaged from its first record on is a dead letter at its own offset', () => {
  const batch = testBatch({
    baseOffset: 50,
    records: [{ value: ORDER }],
    compress: () => varint(9),
  })
  const delta = createFold(orders).run(partitionState({ position: 40 }), [batch], 51, 0, MAY_2026)
  assert.equal(delta.deadLetters[0]?.offset, 50)
  assert.equal(delta.fingerprint, undefined)
  assert.deepEqual(delta.counts.undelivered, 10)
})

const THREE = [{ value: ORDER }, { value: ORDER }, { value: ORDER }]
/** What the header says, and what then becomes of the batch's offsets. */
const LIES: [string, Partial<TestBatch>, Record<string, number>][] = [
  ['more records than offsets', { recordCount: 9 }, { accepted: 3, rejected: 0, undelivered: 0 }],
  [
    'more records than there are',
    { recordCount: 5, lastOffsetDelta: 9 },
    { accepted: 3, rejected: 2, undelivered: 5 },
  ],
  [
    'fewer records than there are',
    { recordCount: 2 },
    { accepted: 2, rejected: 1, undelivered: 0 },
  ],
  ['no records', { recordCount: 0 }, { accepted: 0, rejected: 3, undelivered: 0 }],
  [
    'a negative number of records',
    { recordCount: -1 },
    { accepted: 0, rejected: 3, undelivered: 0 },
  ],
  [
    'two thousand million records',
    { recordCount: 2 ** 31 - 1, lastOffsetDelta: 2 ** 31 - 1 },
    { accepted: 3, rejected: 2 ** 31 - 4, undelivered: 1 },
  ],
]

for (const [name, lie, expected] of LIES) {
  test(`a header that says ${name} deceives nobody about what is there`, () => {
    const delta = fold(testBatch({ records: THREE, ...lie }))
    const { accepted, rejected, undelivered } = delta.counts
    assert.deepEqual({ accepted, rejected, undelivered }, expected)
    assert.equal(delta.deadLetters.length, rejected > 0 ? 1 : 0)
  })
}

test('offsets that go back, stand still or leave the batch end its reading', () => {
  for (const deltas of [
    [0, 1, 1],
    [0, 1, 0],
    [0, 1, 7],
    [-1, 1, 2],
  ]) {
    const records = deltas.map((offsetDelta) => ({ value: ORDER, offsetDelta }))
    const delta = fold(testBatch({ baseOffset: 20, records, lastOffsetDelta: 2 }))
    assert.deepEqual(accounting(delta), { offsets: 3, told: 3 }, deltas.join())
    assert.match(delta.deadLetters[0]!.detail, /out of its offset order/)
  }
})
