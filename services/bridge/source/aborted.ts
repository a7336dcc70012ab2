import { type RecordBatch, RecordReader } from '../codec/index.ts'

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

export type AbortedTransaction = { producerId: string; firstOffset: string }

/**
 * Marks the batches of aborted transactions. The list names those that began before the end of the fetch; a
 * producer's batches are aborted from there to its next abort marker
 * (https://kafka.apache.org/protocol#The_Messages_Fetch, aborted_transactions). The list comes in no order.
 */
export function withholdAborted({
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

/**
 * A control record's key is a version (int16) and a type (int16): 0 abort, 1 commit. One that cannot be read ends no
 * transaction.
 */
function isAbortMarker(batch: RecordBatch): boolean {
  try {
    const reader = new RecordReader(batch)
    if (!reader.next() || reader.keyStart < 0 || reader.keyEnd - reader.keyStart < 4) return false
    return reader.bytes.readInt16BE(reader.keyStart + 2) === 0
  } catch {
    return false
  }
}
