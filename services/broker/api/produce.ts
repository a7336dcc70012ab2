import { checkProduced } from '../log/batch.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { ERROR } from '../wire/errors.ts'
import type { Api } from './api.ts'

/** Above Apache Kafka's default of 1 MiB, as topic configurations that would raise it have no effect here. */
const MAX_BATCH_BYTES = 16 * 2 ** 20

export const produce: Api = {
  key: 0,
  versions: [0, 7],
  handle({ version, request, response }, { topics }) {
    if (version >= 3) request.nullableString() // transactional id
    const acks = request.int16()
    request.int32() // timeout
    const produced = request.topics(() => ({ partition: request.int32(), batch: request.bytes() }))
    let failed = false
    response.topics(produced, ({ partition, batch }, topic) => {
      const log = topics.partition(topic, partition)
      const badAcks = acks < -1 || acks > 1
      const error = badAcks ? ERROR.invalidRequiredAcks : check(log, batch, version)
      const baseOffset = error || !log ? -1 : log.append(batch)
      failed ||= error !== ERROR.none
      response.int32(partition)
      response.int16(error)
      response.int64(baseOffset)
      if (version >= 2) response.int64(-1) // log append time
      if (version >= 5) response.int64(log?.startOffset ?? -1)
    })
    if (version >= 1) response.int32(0) // throttle time
    if (acks !== 0) return undefined
    // Without acknowledgements, only the end of the connection can tell the client.
    return failed ? 'close' : 'unanswered'
  },
}

function check(log: PartitionLog | undefined, batch: Buffer, version: number): number {
  return log ? checkProduced(batch, version, MAX_BATCH_BYTES) : ERROR.unknownTopicOrPartition
}
