import type { KafkaMessage } from 'kafkajs'
import type { InnerCluster } from '../../source/inner-cluster.ts'

const MAX_WAIT_MS = 500
const FETCH_BYTES = 4_194_304
const READ_UNCOMMITTED = 0

/** A record as kafkajs decodes it, with what its batch says. */
type Message = KafkaMessage & {
  isControlRecord?: boolean
  batchContext?: {
    firstOffset: string
    lastOffsetDelta: number
    inTransaction: boolean
    producerId: string
  }
}

export type PlainRecord = Pick<KafkaMessage, 'key' | 'value'> & {
  headers: KafkaMessage['headers'] | undefined
  offset: number
  /** Milliseconds. */
  timestampMs: number
}

/** What a partition holds from one offset to another: records in order, and how many offsets hold none for a consumer. */
export type PlainLog = AsyncGenerator<PlainRecord[], { withheld: number; holes: number }>

export type LogCluster = InnerCluster<Message>

/**
 * Reads a partition with kafkajs's own decoder, everything that is in it, and settles transactions by their markers:
 * the filter of kafkajs's consumer mixes up aborted ones that overlap. A marker may lie behind `to`.
 *
 * @throws Error when kafkajs cannot read on.
 */
export async function* readLog(
  cluster: LogCluster,
  topic: string,
  partition: number,
  from: number,
  to: number,
): PlainLog {
  const undecided: Message[] = []
  const markers = new Map<string, { offset: number; commits: boolean }[]>()
  let seen = 0
  let withheld = 0
  for (let next = from; next < to || undecided.length > 0; ) {
    const { messages, highWatermark } = await fetch(cluster, topic, partition, next)
    if (messages.length === 0 && next >= highWatermark) {
      throw new Error(`the log ends at ${highWatermark}, before ${to} or amid a transaction`)
    }
    for (const message of messages) {
      const offset = Number(message.offset)
      if (message.isControlRecord) remember(markers, message)
      if (offset < next || offset >= to) continue
      seen += 1
      if (message.isControlRecord) withheld += 1
      else undecided.push(message)
    }
    // An empty batch, which compaction leaves, comes as nothing at all.
    next = Math.max(next + 1, ...messages.map(endOf))
    const decided = settle(undecided, markers)
    withheld += decided.aborted
    yield decided.records
  }
  return { withheld, holes: to - from - seen }
}

async function fetch(cluster: LogCluster, topic: string, partition: number, offset: number) {
  const leader = cluster
    .findTopicPartitionMetadata(topic)
    .find(({ partitionId }) => partitionId === partition)?.leader
  if (leader === undefined) throw new Error(`Kafka has no partition ${topic}/${partition}`)
  const broker = await cluster.findBroker({ nodeId: leader })
  const request = {
    isolationLevel: READ_UNCOMMITTED,
    minBytes: 1,
    maxWaitTime: MAX_WAIT_MS,
    maxBytes: FETCH_BYTES,
    topics: [
      {
        topic,
        partitions: [{ partition, fetchOffset: String(offset), maxBytes: FETCH_BYTES }],
      },
    ],
  }
  const { responses } = await broker.fetch(request)
  const answer = responses[0]!.partitions[0]!
  return { messages: answer.messages, highWatermark: Number(answer.highWatermark) }
}

/** The offset behind the batch of a message, of which compaction may have taken the last ones. */
function endOf({ offset, batchContext: batch }: Message): number {
  return 1 + (batch ? Number(batch.firstOffset) + batch.lastOffsetDelta : Number(offset))
}

/** A marker's key is two int16: version, and 0 for an abort or 1 for a commit. */
function remember(
  markers: Map<string, { offset: number; commits: boolean }[]>,
  { offset, key, batchContext }: Message,
) {
  const { producerId } = batchContext!
  const known = markers.get(producerId) ?? []
  known.push({ offset: Number(offset), commits: key!.readInt16BE(2) === 1 })
  markers.set(producerId, known)
}

/** Takes from the queue what is decided: up to the first record whose transaction has no marker yet. */
function settle(queue: Message[], markers: Map<string, { offset: number; commits: boolean }[]>) {
  const records: PlainRecord[] = []
  let taken = 0
  for (const message of queue) {
    const offset = Number(message.offset)
    const { inTransaction = false, producerId = '' } = message.batchContext ?? {}
    const marker = inTransaction
      ? markers.get(producerId)?.find((one) => one.offset > offset)
      : { commits: true }
    if (!marker) break
    taken += 1
    if (marker.commits) records.push(plain(message, offset))
  }
  queue.splice(0, taken)
  return { records, aborted: taken - records.length }
}

function plain({ timestamp, key, value, headers }: Message, offset: number): PlainRecord {
  return { offset, timestampMs: Number(timestamp), key, value, headers }
}
