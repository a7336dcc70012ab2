import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pino } from 'pino'
import { readHeader } from '../../services/broker/log/batch.ts'
import { PartitionLog } from '../../services/broker/log/partition-log.ts'
import { encodeBatch } from '../bridge/record-batch.ts'
import { temporaryFolder } from '../harness/folder.ts'

const BATCH_BYTES = batch(0).length

/** One record with a value of fixed size. */
function batch(timestampMs: number, records = 1): Buffer {
  const record = { value: 'x'.repeat(100), timestampMs }
  return encodeBatch({ records: Array.from({ length: records }, () => record) })
}

function open(folder: string, segmentBytes = 2 ** 20, retentionBytes = 2 ** 30) {
  const lines: string[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) })
  return { log: new PartitionLog(folder, logger, { segmentBytes, retentionBytes }), lines }
}

function read(log: PartitionLog, offset: number, maxBytes = 2 ** 20): Buffer {
  return log.segmentFrom(offset)?.read(offset, maxBytes, false) ?? Buffer.alloc(0)
}

/** Base offsets of all batches, read as a consumer does. */
function baseOffsets(log: PartitionLog): number[] {
  const offsets: number[] = []
  for (let offset = log.startOffset(); offset < log.endOffset(); ) {
    const header = readHeader(read(log, offset))
    offsets.push(header.baseOffset)
    offset = header.endOffset
  }
  return offsets
}

function lastFile(folder: string): string {
  return join(folder, readdirSync(folder).sort().at(-1)!)
}

test('offsets are dense over batches, segments and a restart', () => {
  using folder = temporaryFolder()
  const { log } = open(folder.path, 2 * BATCH_BYTES)
  for (const records of [1, 3, 1, 1]) log.append(batch(0, records))
  assert.deepEqual(baseOffsets(log), [0, 1, 4, 5])
  assert.ok(readdirSync(folder.path).length > 1)

  const again = open(folder.path, 2 * BATCH_BYTES)
  assert.deepEqual(baseOffsets(again.log), [0, 1, 4, 5])
  assert.equal(again.log.append(batch(0)), 6)
  assert.deepEqual(again.lines, [])
})

const tears = [
  {
    what: 'the half of a batch',
    tear: (file: string) => appendFileSync(file, batch(0).subarray(0, 70)),
    left: [0, 1, 2],
  },
  {
    what: 'fewer bytes than a header',
    tear: (file: string) => appendFileSync(file, Buffer.alloc(20, 1)),
    left: [0, 1, 2],
  },
  {
    what: 'zeros, as a file system leaves them',
    tear: (file: string) => appendFileSync(file, Buffer.alloc(4_096)),
    left: [0, 1, 2],
  },
  {
    what: 'a whole batch with the wrong offset',
    tear: (file: string) => appendFileSync(file, batch(0)),
    left: [0, 1, 2],
  },
  {
    what: 'a last batch that was cut off',
    tear: (file: string) => truncateSync(file, statSync(file).size - 1),
    left: [0, 1],
  },
]
for (const { what, tear, left } of tears) {
  test(`${what} at the end is cut at start, with a log line, and writing goes on there`, () => {
    using folder = temporaryFolder()
    const { log } = open(folder.path)
    for (let i = 0; i < 3; i++) log.append(batch(0))
    tear(lastFile(folder.path))

    const torn = open(folder.path)
    assert.deepEqual(baseOffsets(torn.log), left)
    assert.match(torn.lines.join(''), /"cutBytes":\d+,"msg":"cut a torn tail"/)
    assert.equal(torn.log.append(batch(0)), left.length)
    const mended = open(folder.path)
    assert.deepEqual(baseOffsets(mended.log), [...left, left.length])
    assert.deepEqual(mended.lines, [])
  })
}

test('a flipped bit in the last segment is not taken for a record', () => {
  using folder = temporaryFolder()
  const { log } = open(folder.path)
  const second = batch(0)
  log.append(batch(0))
  log.append(second)
  second[80]! ^= 1
  const first = read(log, 0).subarray(0, BATCH_BYTES)
  writeFileSync(lastFile(folder.path), Buffer.concat([first, second]))
  assert.deepEqual(baseOffsets(open(folder.path).log), [0])
})

test('beyond the retention the oldest segment goes, and the start stays moved after a restart', () => {
  using folder = temporaryFolder()
  const limits = [2 * BATCH_BYTES, 4 * BATCH_BYTES] as const
  const { log } = open(folder.path, ...limits)
  for (let i = 0; i < 7; i++) log.append(batch(0))
  assert.deepEqual([log.startOffset(), log.endOffset()], [2, 7])
  assert.deepEqual(baseOffsets(log), [2, 3, 4, 5, 6])

  const again = open(folder.path, ...limits)
  assert.deepEqual([again.log.startOffset(), again.log.endOffset()], [2, 7])
  for (let i = 0; i < 20; i++) again.log.append(batch(0))
  const held = readdirSync(folder.path).map((file) => statSync(join(folder.path, file)).size)
  assert.ok(held.reduce((sum, size) => sum + size) <= limits[0] + limits[1])
})

test('reading gives as many whole batches as fit', () => {
  using folder = temporaryFolder()
  const { log } = open(folder.path)
  for (let i = 0; i < 5; i++) log.append(batch(0))
  assert.equal(read(log, 1, 3 * BATCH_BYTES + 10).length, 3 * BATCH_BYTES)
  assert.equal(readHeader(read(log, 1)).baseOffset, 1)
  assert.equal(read(log, 0, BATCH_BYTES - 1).length, 0)
  assert.equal(log.segmentFrom(0)?.read(0, 1, true).length, BATCH_BYTES)
  assert.equal(read(log, 5).length, 0)
})

test('by timestamp the first batch that reaches it is found, whatever the order', () => {
  using folder = temporaryFolder()
  const { log } = open(folder.path, 2 * BATCH_BYTES)
  for (const timestampMs of [10, 30, 20, 40, -1]) log.append(batch(timestampMs))
  const found = [5, 10, 15, 30, 35].map((timestamp) => log.find(timestamp)?.baseOffset)
  assert.deepEqual(found, [0, 0, 1, 1, 3])
  assert.equal(log.find(41), undefined)
})
