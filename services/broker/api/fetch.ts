import { once } from 'node:events'
import type { Topics } from '../log/topics.ts'
import { ERROR } from '../wire/errors.ts'
import type { PartitionOf, TopicOf } from '../wire/reader.ts'
import type { Handler } from './api.ts'

const MAX_RESPONSE_BYTES = 64 * 2 ** 20

type Asked = { offset: number; maxBytes: number }

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
    return { offset, maxBytes: request.int32() }
  })
  let found = read(topics, asked, maxBytes)
  while (!found.hasFailed && found.sizeBytes < minBytes) {
    const leftMs = Math.ceil(end - performance.now())
    if (leftMs <= 0) break
    await once(topics, 'append', { signal: AbortSignal.timeout(leftMs) }).catch(() => {})
    found = read(topics, asked, maxBytes)
  }
  if (version >= 7) response.int16(ERROR.none)
  if (version >= 7) response.int32(0) // session id
  response.topics(found.topics, ({ error, log, batches }) => {
    response.int16(error)
    response.int64(log?.endOffset() ?? -1) // high watermark
    response.int64(log?.endOffset() ?? -1) // last stable offset
    if (version >= 5) response.int64(log?.startOffset() ?? -1)
    response.int32(-1) // aborted transactions: null
    if (version >= 11) response.int32(-1) // preferred read replica
    response.bytes(batches)
  })
}

/** The first batch of a response is given whole however large it is, so that a client gets past it. */
function read(topics: Topics, asked: TopicOf<Asked>[], maxBytes: number) {
  let [sizeBytes, hasFailed] = [0, false]
  const readOne = (name: string, { partition, offset, ...limit }: PartitionOf<Asked>) => {
    const log = topics.get(name)[partition]
    const isIn = log && offset >= log.startOffset() && offset <= log.endOffset()
    const room = Math.max(0, Math.min(limit.maxBytes, maxBytes - sizeBytes))
    const segment = isIn ? log.segmentFrom(offset) : undefined
    const batches = segment?.read(offset, room, sizeBytes === 0) ?? Buffer.alloc(0)
    sizeBytes += batches.length
    hasFailed ||= !isIn
    const error = log ? ERROR.offsetOutOfRange : ERROR.unknownTopicOrPartition
    return { partition, log, batches, error: isIn ? ERROR.none : error }
  }
  const read = asked.map(({ name, partitions }) => {
    return { name, partitions: partitions.map((each) => readOne(name, each)) }
  })
  return { topics: read, sizeBytes, hasFailed }
}
