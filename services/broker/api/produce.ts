import { checkBatch } from '../log/batch.ts'
import { ERROR } from '../wire/errors.ts'
import { MalformedRequest } from '../wire/reader.ts'
import type { Handler } from './api.ts'

/** Above Apache Kafka's default of 1 MiB, as topic configurations that would raise it have no effect here. */
const MAX_BATCH_BYTES = 16 * 2 ** 20

export const produce: Handler = ({ version, request, response }, { topics }) => {
  if (version >= 3) request.nullableString() // transactional id
  const acks = request.int16()
  request.int32() // timeout
  const produced = request.topics(() => ({ batch: request.bytes() }))
  response.topics(produced, ({ partition, batch }, topic) => {
    const log = topics.get(topic)[partition]
    const error = log ? checkBatch(batch, MAX_BATCH_BYTES) : ERROR.unknownTopicOrPartition
    // Without acknowledgements, only the end of the connection tells the client.
    if (acks === 0 && error) throw new MalformedRequest('records sent with acks=0 were refused')
    response.int16(error)
    response.int64(error || !log ? -1 : log.append(batch))
    if (version >= 2) response.int64(-1) // log append time
    if (version >= 5) response.int64(log?.startOffset() ?? -1)
  })
  if (version >= 1) response.int32(0) // throttle time
  topics.emit('append')
  return acks === 0 ? 'unanswered' : undefined
}
