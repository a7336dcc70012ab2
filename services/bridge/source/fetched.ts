import type { Batch } from 'kafkajs'
import type { RecordBatch } from '../codec/index.ts'
import type { RawMessage } from './aborted.ts'

export type TopicPartition = { topic: string; partition: number }

/** What one fetch brought of one partition. */
export type Fetched = TopicPartition & {
  /** In order; aborted and control batches left out. */
  batches: RecordBatch[]
  /** The batches that were left out. */
  withheld: RecordBatch[]
  /** The offset that was asked for. */
  askedOffset: number
  /** The first offset that came, of any batch. */
  firstOffset: number
  /** The next offset to read behind everything that came. */
  nextOffset: number
}

/** As kafkajs wants them. */
export function byTopic(partitions: TopicPartition[]) {
  return [...Map.groupBy(partitions, ({ topic }) => topic)].map(([topic, list]) => ({
    topic,
    partitions: list.map(({ partition }) => partition),
  }))
}

export function toFetched(batch: Batch): Fetched {
  const { fetchedOffset } = batch as Batch & { fetchedOffset: string }
  const messages = batch.messages as unknown as RawMessage[]
  const { withheld = [], batches = [] } = Object.groupBy(messages, (message) =>
    message.withheld ? 'withheld' : 'batches',
  )
  return {
    topic: batch.topic,
    partition: batch.partition,
    batches: batches.map((message) => message.batch),
    withheld: withheld.map((message) => message.batch),
    askedOffset: Number(fetchedOffset),
    firstOffset: messages[0]?.batch.baseOffset ?? Number(fetchedOffset),
    nextOffset: Number(batch.lastOffset()) + 1,
  }
}
