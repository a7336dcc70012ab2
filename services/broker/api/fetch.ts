import type { PartitionLog } from '../log/partition-log.ts'
import type { Topics } from '../log/topics.ts'
import { ERROR } from '../wire/errors.ts'
import type { TopicOf } from '../wire/reader.ts'
import type { Api } from './api.ts'

const MAX_WAIT_MS = 60_000
const MAX_RESPONSE_BYTES = 64 * 2 ** 20

type Asked = { partition: number; offset: number; maxBytes: number }
type Fetched = { partition: number; error: number; log: PartitionLog | undefined; batches: Buffer }

/** Every fetch is a full one: the session id 0 in the response says that there are no incremental ones. */
export const fetch: Api = {
  key: 1,
  versions: [4, 11],
  throttleSince: 1,
  async handle({ version, request, response }, { topics }) {
    request.int32() // replica
    const waitMs = Math.min(request.int32(), MAX_WAIT_MS)
    const [minBytes, maxBytes] = [request.int32(), request.int32()]
    request.int8() // isolation
    if (version >= 7) request.int64() // session id and epoch
    const asked = request.topics(() => {
      const partition = request.int32()
      if (version >= 9) request.int32() // leader epoch
      const offset = request.int64()
      if (version >= 5) request.int64() // log start offset
      return { partition, offset, maxBytes: request.int32() }
    })
    const fetched = await collect(topics, asked, minBytes, maxBytes, waitMs)
    if (version >= 7) response.int16(ERROR.none)
    if (version >= 7) response.int32(0) // session id
    response.topics(fetched, ({ partition, error, log, batches }) => {
      response.int32(partition)
      response.int16(error)
      response.int64(log?.endOffset ?? -1) // high watermark
      response.int64(log?.endOffset ?? -1) // last stable offset
      if (version >= 5) response.int64(log?.startOffset ?? -1)
      response.int32(-1) // aborted transactions: null
      if (version >= 11) response.int32(-1) // preferred read replica
      response.bytes(batches)
    })
  },
}

/** Reads again after each append until `minBytes` are there, a partition is in error or `waitMs` are over. */
async function collect(
  topics: Topics,
  asked: TopicOf<Asked>[],
  minBytes: number,
  maxBytes: number,
  waitMs: number,
): Promise<TopicOf<Fetched>[]> {
  const end = performance.now() + waitMs
  for (;;) {
    const fetched = read(topics, asked, Math.min(maxBytes, MAX_RESPONSE_BYTES))
    const all = fetched.flatMap(({ partitions }) => partitions)
    const bytes = all.reduce((sum, { batches }) => sum + batches.length, 0)
    const leftMs = end - performance.now()
    if (bytes >= minBytes || leftMs <= 0 || all.some(({ error }) => error)) return fetched
    await appended(
      all.map(({ log }) => log!),
      leftMs,
    )
  }
}

/** The first batch of the response is given whole however large it is, so that a client gets past it. */
function read(topics: Topics, asked: TopicOf<Asked>[], maxBytes: number): TopicOf<Fetched>[] {
  let left = maxBytes
  const readOne = (name: string, { partition, offset, maxBytes: most }: Asked): Fetched => {
    const log = topics.partition(name, partition)
    const answer = { partition, log, error: ERROR.none as number, batches: Buffer.alloc(0) }
    if (!log) return { ...answer, error: ERROR.unknownTopicOrPartition }
    if (offset < log.startOffset || offset > log.endOffset) {
      return { ...answer, error: ERROR.offsetOutOfRange }
    }
    const batches = log.read(offset, Math.max(0, Math.min(most, left)), left === maxBytes)
    left -= batches.length
    return { ...answer, batches }
  }
  return asked.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map((each) => readOne(name, each)),
  }))
}

function appended(logs: PartitionLog[], timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, timeoutMs)
    const cancel = logs.map((log) => log.onAppend(done))
    function done() {
      clearTimeout(timer)
      for (const stop of cancel) stop()
      resolve()
    }
  })
}
