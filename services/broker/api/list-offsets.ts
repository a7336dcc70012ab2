import type { PartitionLog } from '../log/partition-log.ts'
import { ERROR } from '../wire/errors.ts'
import type { Api } from './api.ts'

const LATEST = -1
const EARLIEST = -2

/** By timestamp it finds the batch that holds the record, not the record: its offset may be earlier, never later. */
export const listOffsets: Api = {
  key: 2,
  versions: [1, 4],
  throttleSince: 2,
  handle({ version, request, response }, { topics }) {
    request.int32() // replica
    if (version >= 2) request.int8() // isolation
    const asked = request.topics(() => {
      const partition = request.int32()
      if (version >= 4) request.int32() // leader epoch
      return { partition, timestamp: request.int64() }
    })
    response.topics(asked, ({ partition, timestamp }, topic) => {
      const log = topics.partition(topic, partition)
      const found = log && find(log, timestamp)
      response.int32(partition)
      response.int16(log ? ERROR.none : ERROR.unknownTopicOrPartition)
      response.int64(found?.timestamp ?? -1)
      response.int64(found?.offset ?? -1)
      if (version >= 4) response.int32(found ? 0 : -1) // leader epoch
    })
  },
}

function find(log: PartitionLog, timestamp: number) {
  if (timestamp === LATEST) return { offset: log.endOffset, timestamp: -1 }
  if (timestamp === EARLIEST) return { offset: log.startOffset, timestamp: -1 }
  const batch = log.batchAt(timestamp)
  return batch && { offset: batch.baseOffset, timestamp: batch.maxTimestamp }
}
