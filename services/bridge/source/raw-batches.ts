/**
 * Makes kafkajs hand over record batches as they came, instead of one object per record. kafkajs 2.2.4 dies of a
 * batch of more than about 125,000 records, fails a whole fetch with its neighbours when one batch does not
 * decompress, takes unknown codecs for uncompressed, and mixes up aborted transactions that overlap. With this, its consumer does what it is good at (groups,
 * fetching) and the codec room reads the records.
 *
 * kafkajs must be pinned, and this must be imported before kafkajs is: it replaces two of its modules.
 */
import { createRequire } from 'node:module'
import { batchSizeAt, type RecordBatch, RecordReader, readBatchHeader } from '../codec/index.ts'

const require = createRequire(import.meta.url)
const DECODER = require.resolve('kafkajs/src/protocol/requests/fetch/v4/decodeMessages')
const DECODER_USER = require.resolve('kafkajs/src/protocol/requests/fetch/v4/response')
const FILTER = require.resolve('kafkajs/src/consumer/filterAbortedMessages')
const FILTER_USER = require.resolve('kafkajs/src/consumer/batch')

/** One batch in the place of a message. */
export type RawMessage = {
  /** The batch's last offset: kafkajs keeps a message when this is not below the offset it asked for. */
  offset: string
  /** Always: kafkajs leaves control records out, and a fetch of nothing else would never reach us. */
  isControlRecord: false
  batch: RecordBatch
  /** No record of it is for a consumer: a transaction's marker, or what a transaction took back. */
  withheld: boolean
}

type AbortedTransaction = { producerId: string; firstOffset: string }

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

/**
 * Marks the batches of aborted transactions. The list names those that began before the end of the fetch; a
 * producer's batches are aborted from there to its next abort marker
 * (https://kafka.apache.org/protocol#The_Messages_Fetch, aborted_transactions). The list comes in no order.
 */
function withholdAborted({
  messages,
  abortedTransactions,
}: {
  messages: RawMessage[]
  abortedTransactions?: AbortedTransaction[]
}): RawMessage[] {
  const waiting = (abortedTransactions ?? [])
    .map(({ producerId, firstOffset }) => ({ producerId, firstOffset: Number(firstOffset) }))
    .sort((a, b) => a.firstOffset - b.firstOffset)
  const aborting = new Set<string>()
  for (const message of messages) {
    const { batch } = message
    while (waiting[0] && waiting[0].firstOffset <= batch.lastOffset) {
      aborting.add(waiting.shift()!.producerId)
    }
    const producerId = String(batch.producerId)
    if (batch.isControl) {
      if (aborting.has(producerId) && isAbortMarker(batch)) aborting.delete(producerId)
    } else if (batch.isTransactional && aborting.has(producerId)) {
      message.withheld = true
    }
  }
  return messages
}

/** A control record's key is a version (int16) and a type (int16): 0 abort, 1 commit. */
function isAbortMarker(batch: RecordBatch): boolean {
  const reader = new RecordReader(batch)
  return (
    reader.next() &&
    reader.keyEnd - reader.keyStart >= 4 &&
    reader.bytes.readInt16BE(reader.keyStart + 2) === 0
  )
}
