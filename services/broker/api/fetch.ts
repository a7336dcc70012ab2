import { once } from 'node:events'
import { ERROR } from '../wire/errors.ts'
import type { Handler } from './api.ts'

const MAX_RESPONSE_BYTES = 64 * 2 ** 20

/** Every fetch is a full one: session id 0 in the response says that there are no incremental ones. */
export const fetch: Handler = async ({ version, request, response }, { topics }) => {
  request.int32() // replica
  const end = performance.now() + request.int32()
  const minBytes = request.int32()
  const maxBytes = Math.min(request.int32(), MAX_RESPONSE_BYTES)
  request.int8() // isolation
  if (version >= 7) request.int64() // session id and epoch
  const asked = request.topics(() => {
    if (version >= 9) request.int32() // leader epoch
    const offset = request.int64()
    if (version >= 5) request.int64() // log start offset
    return { offset, limitBytes: request.int32() }
  })
  const read = () => {
    let [sizeBytes, hasFailed] = [0, false]
    const found = asked.map(({ name, partitions }) => {
      const results = partitions.map(({ partition, offset, limitBytes }) => {
        const log = topics.get(name)[partition]
        const isIn = log && offset >= log.startOffset() && offset <= log.endOffset()
        const segment = isIn ? log.segmentFrom(offset) : undefined
        const room = Math.max(0, Math.min(limitBytes, maxBytes - sizeBytes))
        // The first batch of a response is given however large it is, so that a client gets past it.
        const batches = segment?.read(offset, room, sizeBytes === 0) ?? Buffer.alloc(0)
        sizeBytes += batches.length
        hasFailed ||= !isIn
        const error = log ? ERROR.offsetOutOfRange : ERROR.unknownTopicOrPartition
        return { partition, log, batches, error: isIn ? ERROR.none : error }
      })
      return { name, partitions: results }
    })
    return { found, isEnough: hasFailed || sizeBytes >= minBytes }
  }
  let last = read()
  for (let leftMs = end - performance.now(); !last.isEnough && leftMs > 0; last = read()) {
    const signal = AbortSignal.timeout(Math.ceil(leftMs))
    await once(topics, 'append', { signal }).catch(() => {})
    leftMs = end - performance.now()
  }
  if (version >= 7) response.int16(ERROR.none)
  if (version >= 7) response.int32(0) // session id
  response.topics(last.found, ({ error, log, batches }) => {
    response.int16(error)
    response.int64(log?.endOffset() ?? -1) // high watermark
    response.int64(log?.endOffset() ?? -1) // last stable offset
    if (version >= 5) response.int64(log?.startOffset() ?? -1)
    response.int32(-1) // aborted transactions: null
    if (version >= 11) response.int32(-1) // preferred read replica
    response.bytes(batches)
  })
}
