/**
 * Makes kafkajs hand over record batches as they came, instead of one object per record. kafkajs 2.2.4 dies of a
 * batch of more than about 125,000 records, fails a whole fetch with its neighbours when one batch does not
 * decompress, takes unknown codecs for uncompressed, and mixes up aborted transactions that overlap. With this, its consumer does what it is good at (groups,
 * fetching) and the codec room reads the records.
 *
 * kafkajs must be pinned, and this must be imported before kafkajs is: it replaces two of its modules.
 */
import { createRequire } from 'node:module'
import { batchSizeAt, type RecordBatch, readBatchHeader } from '../codec/index.ts'
import { type RawMessage, withholdAborted } from './aborted.ts'

const require = createRequire(import.meta.url)
const DECODER = require.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages')
const DECODER_USER = require.resolve('kafkajs/src/protocol/requests/fetch/v4/response')
const FILTER = require.resolve('kafkajs/src/consumer/filterAbortedMessages')
const FILTER_USER = require.resolve('kafkajs/src/consumer/batch')

/** The part of kafkajs's decoder (src/protocol/decoder.js) that is used here. */
type Decoder = {
  readInt32(): number
  canReadBytes(length: number): boolean
  readBytes(length: number): Buffer
}

replace(DECODER, DECODER_USER, decodeBatches)
replace(FILTER, FILTER_USER, withholdAborted)

function replace(module: string, user: string, exports: unknown) {
  if (require.cache[user]) throw new Error('raw-batches.ts must be imported before kafkajs')
  require(module)
  require.cache[module]!.exports = exports
}

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
    isControlRecord: false,
    batch,
    withheld: batch.isControl,
  }
}
