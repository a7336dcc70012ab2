import type { Bounds, TopicBounds } from '../source/index.ts'
import type { PartitionStart, Summary } from '../store/index.ts'
import type { StreamDefinition } from '../streams/index.ts'

type Row = Summary['partitions'][0]

/** A partition's log to be counted: from `from` (what Kafka no longer has of it is skipped) up to, not including, `to`. */
export type Part = { begin: PartitionStart; from: number; low: number; to: number }

/** Offsets that were counted, or could be, and that Kafka has no more. */
export type Loss = {
  topic: string
  partition: number
  incarnation: number
  from: number
  to: number
}

export type PlanOptions = {
  /** What the beginning has counted already; empty: nothing. */
  counted: readonly Row[]
  /** What was counted in all, as far as that is known. */
  known: readonly Row[]
  /** Count up to where `known` is, not to the ends: it is what the result is compared with. */
  toKnown: boolean
  /** By topic; without an entry the topic does not exist. */
  logs: ReadonlyMap<string, TopicBounds>
  streams: readonly StreamDefinition[]
}

/** What is to be read so that everything is counted, and what of it cannot be. */
export function planOf(options: PlanOptions): { parts: Part[]; losses: Loss[] } {
  const plans = options.streams.flatMap(({ name, topic }) => {
    const rows = [...options.counted, ...options.known].filter((row) => row.topic === topic)
    const log = options.logs.get(topic)
    const numbers = [...rows, ...(log?.partitions ?? [])].map(({ partition }) => partition)
    return [...new Set(numbers)].map((partition) => planPartition(options, name, topic, partition))
  })
  return {
    parts: plans.flatMap(({ part }) => (part ? [part] : [])),
    losses: plans.flatMap(({ losses }) => losses),
  }
}

function planPartition(options: PlanOptions, stream: string, topic: string, partition: number) {
  const { counted, known, logs, toKnown } = options
  const here = (row: Row) => row.topic === topic && row.partition === partition
  const begun = counted.filter(here)
  const told = known.filter(here)
  const log = logs.get(topic)
  const bounds = log?.partitions.find((candidate) => candidate.partition === partition)
  const incarnations = new Map([...begun, ...told].map((row) => [row.incarnation, row]))
  const latest = Math.max(...incarnations.keys())
  const losses: Loss[] = []
  let part: Part | undefined
  for (const [incarnation, row] of incarnations) {
    const from = begun.find((one) => one.incarnation === incarnation)?.position ?? row.start
    const reached = told.find((one) => one.incarnation === incarnation)?.position ?? from
    const lost = (to: number) => {
      if (to > from) losses.push({ topic, partition, incarnation, from, to })
    }
    if (incarnation < latest || !bounds || !isSame(row, log?.topicId, bounds, reached)) {
      lost(reached)
      continue
    }
    const { low, high } = bounds
    const to = toKnown && told.length > 0 ? reached : high
    lost(Math.min(low, to))
    part = { begin: { ...row, topicId: row.topicId ?? log?.topicId }, from, low, to }
  }
  if (incarnations.size === 0 && bounds) {
    const { low, high } = bounds
    // Where nothing is known at all, the log may have been counted from its first record on.
    const start = known.length + counted.length === 0 ? 0 : low
    if (low > start) losses.push({ topic, partition, incarnation: 1, from: start, to: low })
    const begin = { topic, partition, incarnation: 1, stream, topicId: log?.topicId, start }
    part = { begin, from: start, low, to: high }
  }
  return { part, losses }
}

/** Whether Kafka has the log that was counted; a topic that was made anew is the bridge's to begin. */
function isSame(row: Row, topicId: string | undefined, { high }: Bounds, reached: number) {
  return (!row.topicId || !topicId || row.topicId === topicId) && reached <= high
}
