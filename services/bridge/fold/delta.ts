import type { Reason } from '../codec/index.ts'

/** One partition of one incarnation of a topic: a topic that was deleted and created again has a new one. */
export type PartitionKey = { topic: string; partition: number; incarnation: number }

/** The last record read of a partition, to recognise the log by. */
export type Fingerprint = { offset: number; hash: string }

/** Sequences `from` to `to`, both included, that were proven missing and may still come. */
export type Gap = { from: number; to: number }

export type SourceState = {
  last: number
  gaps: readonly Gap[] /** Offset of its latest record. */
  seen: number
}

/** Numbers of a source that were just found missing. */
export type Loss = Gap & { source: string }

/** What the fold of a partition needs to know of the records before. */
export type PartitionState = PartitionKey & {
  /** Kafka's id of this incarnation of the topic, hex; undefined where the broker has none. */
  topicId?: string | undefined
  /** The next offset to read. */
  position: number
  fingerprint: Fingerprint | undefined
  /** Event time (ms) of the latest counted event: for records without a time of their own. */
  previousTimeMs: number
  sources: ReadonlyMap<string, SourceState>
}

export type DeadLetter = {
  offset: number
  /** How many records it stands for: more than 1 for a batch that could not be decompressed. */
  records: number
  reason: Reason
  detail: string
  timestampMs: number
  key: Buffer | null
  /** The first 1 KiB. */
  value: Buffer | null
  valueBytes: number
  /** SHA-256 of key and value, hex. */
  hash: string
}

export type SeriesDelta = { measure: string; labels: string; value: bigint }
export type ColumnDelta = { column: string; value: bigint }
/** What one minute gains; `minuteMs` is its start. */
export type MinuteDelta = { minuteMs: number; events: number; columns: ColumnDelta[] }
export type Counts = {
  accepted: number
  rejected: number
  duplicate: number
  undelivered: number
  skipped: number
  lost: number
  recovered: number
}

/** What events add. */
export type Counted = {
  series: SeriesDelta[]
  minutes: MinuteDelta[]
  /** Events of minutes that lay beyond the clock. */
  future: number
}

/** All that a run of records changes, as plain data: applied whole, in one transaction, or not at all. */
export type Delta = Counted & {
  key: PartitionKey
  stream: string
  /** The position this starts at: the guard of the compare-and-set. */
  from: number
  to: number
  fingerprint: Fingerprint | undefined
  previousTimeMs: number
  /** Latest event time (ms) not beyond the clock; -1: none. */
  maxTimeMs: number
  counts: Counts
  rejected: Partial<Record<Reason, number>>
  deadLetters: DeadLetter[]
  /** Dead letters beyond what one delta keeps. */
  evicted: number
  /** What `counts.lost` is made of: the first few, for people. */
  losses: Loss[]
  sources: { source: string; state: SourceState }[]
  /** Offsets were skipped: what is known of the sources no longer tells anything. */
  forgetSources: boolean
}

/** What driving a dead letter through again changes: applied whole, once, or not at all. First verdicts stay. */
export type Redrive = Counted & {
  key: PartitionKey
  stream: string
  /** The position that its sources are known at: the guard of the compare-and-set. */
  at: number
  /** Counted now. */
  records: number
  /** Known by their numbers to have been counted before; they stay rejected. */
  duplicates: number
  lost: number
  recovered: number
  sources: Delta['sources']
}
