import type { Kafka } from 'kafkajs'
import { within } from '../../runtime/deadline.ts'
import type { RecordBatch } from '../codec/index.ts'
import { type RawMessage, withholdAborted } from './aborted.ts'
import type { TopicPartition } from './fetched.ts'
import { type FetchedPartition, type InnerCluster, openInnerCluster } from './inner-cluster.ts'

/** One reading: connecting, finding the leader and the fetch, with one more try. */
const DEADLINE_MS = 15_000
const TRIES = 2
/** kafkajs gives a fetch this long, and a little more; with no least of bytes, the broker answers at once. */
const MAX_WAIT_MS = 5_000
const MAX_BYTES = 1_048_576
/** The first batch comes whole, however large it is: with this, it comes alone. */
const ONE_BATCH_BYTES = 1

/** What one reading brought of a partition, as a consumer that reads committed records sees it. */
export type Reading = {
  /** In order, whole; the first may begin before the offset that was asked for. */
  batches: RecordBatch[]
  /** Left out of them: transaction markers, and what transactions took back. */
  withheld: RecordBatch[]
  /** The next offset to ask for; the one that was asked for where nothing came. */
  nextOffset: number
  /** Where the log starts; -1 where the broker does not tell (before 1.0). */
  low: number
  highWatermark: number
  /** Nothing at or behind this is read. */
  lastStableOffset: number
}

/** Reads partitions at any offset, without a group and without a position of its own. */
export type LogReader = {
  /**
   * At most about 1 MiB from `offset` on; at the end, nothing. Undefined: the log does not reach there (any more).
   *
   * @throws Error when Kafka does not answer, or has no such partition.
   */
  read(of: TopicPartition, offset: number): Promise<Reading | undefined>
  /** The batch that holds `offset`. Undefined: it is gone (retention, compaction, an abort) or never was. @throws as `read`. */
  batchAt(of: TopicPartition, offset: number): Promise<RecordBatch | undefined>
  disconnect(): Promise<void>
}

/** @param kafka a client with few retries. The process must have imported `raw-batches.ts` first. */
export function openLogReader(kafka: Kafka): LogReader {
  let cluster: InnerCluster<RawMessage> | undefined

  async function fetch(of: TopicPartition, offset: number, maxBytes: number) {
    cluster ??= openInnerCluster<RawMessage>(kafka)
    const used = cluster
    try {
      return toReading(await ask(used, of, offset, maxBytes), offset)
    } catch (error) {
      if ((error as { type?: string }).type === 'OFFSET_OUT_OF_RANGE') return undefined
      // Its knowledge of leaders may be old, and one deleted topic makes it fail for all: begin anew.
      if (cluster === used) cluster = undefined
      await used.disconnect().catch(() => {})
      throw error
    }
  }

  async function withTries(of: TopicPartition, offset: number, maxBytes: number) {
    for (let left = TRIES - 1; ; left--) {
      try {
        return await fetch(of, offset, maxBytes)
      } catch (error) {
        if (left === 0) throw error
      }
    }
  }

  const read = (of: TopicPartition, offset: number, maxBytes: number) =>
    within(
      withTries(of, offset, maxBytes),
      DEADLINE_MS,
      `reading ${of.topic}/${of.partition} from Kafka`,
    )

  return {
    read: (of, offset) => read(of, offset, MAX_BYTES),
    batchAt: async (of, offset) => {
      const reading = await read(of, offset, ONE_BATCH_BYTES)
      return reading?.batches.find(
        ({ baseOffset, lastOffset }) => baseOffset <= offset && offset <= lastOffset,
      )
    },
    disconnect: async () => cluster?.disconnect(),
  }
}

async function ask(
  cluster: InnerCluster<RawMessage>,
  { topic, partition }: TopicPartition,
  offset: number,
  maxBytes: number,
): Promise<FetchedPartition<RawMessage>> {
  await cluster.connect()
  await cluster.addTargetTopic(topic)
  const found = cluster
    .findTopicPartitionMetadata(topic)
    .find(({ partitionId }) => partitionId === partition)
  if (!found) throw new Error(`Kafka has no partition ${partition} of ${topic}`)
  const broker = await cluster.findBroker({ nodeId: found.leader })
  const { responses } = await broker.fetch({
    minBytes: 0,
    maxWaitTime: MAX_WAIT_MS,
    maxBytes,
    topics: [{ topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes }] }],
  })
  const [answer] = responses[0]?.partitions ?? []
  if (!answer) throw new Error(`Kafka answers nothing for ${topic}/${partition}`)
  return answer
}

function toReading(answer: FetchedPartition<RawMessage>, offset: number): Reading {
  // Behind a compressed batch, brokers may send one that ends before the offset.
  const messages = withholdAborted(answer).filter(({ batch }) => batch.lastOffset >= offset)
  return {
    batches: messages.filter(({ withheld }) => !withheld).map(({ batch }) => batch),
    withheld: messages.filter(({ withheld }) => withheld).map(({ batch }) => batch),
    nextOffset: (messages.at(-1)?.batch.lastOffset ?? offset - 1) + 1,
    low: Number(answer.lastStartOffset ?? -1),
    highWatermark: Number(answer.highWatermark),
    lastStableOffset: Number(answer.lastStableOffset),
  }
}
