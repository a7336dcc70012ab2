import type { PartitionLog } from '../log/partition-log.ts'
import { ERROR } from '../wire/errors.ts'
import type { Handler } from './api.ts'

const LATEST = -1
const EARLIEST = -2

/** By timestamp it finds the batch that holds the record, not the record: its offset may be earlier, never later. */
export const listOffsets: Handler = ({ version, request, response }, { topics }) => {
  request.int32() // replica
  if (version >= 2) request.int8() // isolation
  const asked = request.topics(() => {
    if (version >= 4) request.int32() // leader epoch
    return { timestamp: request.int64() }
  })
  response.topics(asked, ({ partition, timestamp }, topic) => {
    const log = topics.get(topic)[partition]
    const found = log && find(log, timestamp)
    response.int16(log ? ERROR.none : ERROR.unknownTopicOrPartition)
    response.int64(found?.maxTimestamp ?? -1)
    response.int64(found?.baseOffset ?? -1)
    if (version >= 4) response.int32(found ? 0 : -1) // leader epoch
  })
}

function find(log: PartitionLog, timestamp: number) {
  if (timestamp === LATEST) return { baseOffset: log.endOffset(), maxTimestamp: -1 }
  if (timestamp === EARLIEST) return { baseOffset: log.startOffset(), maxTimestamp: -1 }
  return log.find(timestamp)
}
