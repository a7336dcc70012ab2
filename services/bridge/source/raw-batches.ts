/**
 * Makes kafkajs hand over record batches as they came, instead of one object per record. kafkajs 2.2.4 dies of a
 * batch of more than about 125,000 records, fails a whole fetch with its neighbours when one batch does not
 * decompress, and takes unknown codecs for uncompressed. With this, its consumer does what it is good at (groups,
 * fetching, leaving out aborted and control batches) and the codec room reads the records.
 *
 * kafkajs must be pinned, and this must be imported before kafkajs is: it replaces one of its modules.
 */
import { createRequire } from 'node:module'
import { batchSizeAt, type RecordBatch, RecordReader, readBatchHeader } from '../codec/index.ts'

const require = createRequire(import.meta.url)
const DECODER = require.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages')
const FIRST_USER = require.resolve('kafkajs/src/protocol/requests/fetch/v4/response')

/** One batch in the place of a message, with what kafkajs's own filters look at. */
export type RawMessage = {
  /** The batch's last offset: kafkajs keeps a message when this is not below the offset it asked for. */
  offset: string
  /** Of a control record: tells a commit from an abort. */
  key: Buffer | null
  isControlRecord: boolean
  batchContext: { producerId: string; inTransaction: boolean }
  batch: RecordBatch
}

/** The part of kafkajs's decoder (src/protocol/decoder.js) that is used here. */
type Decoder = {
  readInt32(): number
  canReadBytes(length: number): boolean
  readBytes(length: number): Buffer
}

if (require.cache[FIRST_USER]) throw new Error('raw-batches.ts must be imported before kafkajs')
require(DECODER)
require.cache[DECODER]!.exports = decodeBatches

async function decodeBatches(decoder: Decoder): Promise<RawMessage[]> {
  const size = decoder.readInt32()
  if (size <= 0 || !decoder.canReadBytes(size)) return []
  const bytes = decoder.readBytes(size)
  const messages: RawMessage[] = []
  // A fetch is cut at its size limit: the last batch may be incomplete, and comes again.
  for (let at = 0, length = 0; ; at += length) {
    length = batchSizeAt(bytes, at)
    if (length === 0) return messages
    messages.push(toMessage(readBatchHeader(bytes.subarray(at, at + length))))
  }
}

function toMessage(batch: RecordBatch): RawMessage {
  return {
    offset: String(batch.lastOffset),
    key: batch.isControl ? controlKey(batch) : null,
    isControlRecord: batch.isControl,
    batchContext: {
      producerId: String(batch.producerId),
      inTransaction: batch.isTransactional,
    },
    batch,
  }
}

function controlKey(batch: RecordBatch): Buffer | null {
  const reader = new RecordReader(batch)
  return reader.next() ? reader.bytes.subarray(reader.keyStart, reader.keyEnd) : null
}
