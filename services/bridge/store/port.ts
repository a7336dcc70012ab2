import type { DeadLetter, Delta, PartitionKey, PartitionState, Redrive } from '../fold/index.ts'
import type { Declaration } from '../streams/index.ts'
import type { Copied } from './copy.ts'

/** Where reading of a partition's incarnation starts. */
export type PartitionStart = PartitionKey & {
  stream: string
  topicId?: string | undefined
  start: number
}

export type CommitResult =
  | 'committed'
  /** The partition does not stand at `delta.from`, or has a newer incarnation: somebody else has read on. Nothing was changed. */
  | 'stale'

/** A dead letter as it is kept; `id` is its place in the order of burial. */
export type StoredLetter = PartitionKey &
  DeadLetter & {
    id: number
    /** When it was driven through again and counted; null: not yet. */
    redrivenMs: number | null
    /** Why the last attempt did not count it; null: there was none, or it was counted. */
    redriveError: string | null
  }

export type RedriveResult =
  | 'redriven'
  /** It was before. */
  | 'already'
  /** It is not kept any more. */
  | 'gone'
  /** The partition does not stand at `redrive.at`, or has a newer incarnation. */
  | 'stale'

/** Everything a scrape shows of the store, at one moment. */
export type Snapshot = {
  partitions: PartitionTotals[]
  rejected: { topic: string; reason: string; records: number }[]
  evicted: { topic: string; letters: number }[]
  /** Partitions merged. `labels` is the JSON object under which the series is stored. */
  series: { measure: string; labels: string; value: bigint }[]
  streams: StreamState[]
  /** Size of the database with its write-ahead log. */
  bytes: number
}

/** Counts of all incarnations together; the position of the current one. */
export type PartitionTotals = {
  topic: string
  partition: number
  /** The current one. */
  incarnation: number
  stream: string
  position: number
  accepted: number
  rejected: number
  duplicate: number
  undelivered: number
  skipped: number
  lost: number
  recovered: number
  redriven: number
  /** Of the current incarnation; -1: none. */
  maxTimeMs: number
}

export type StreamState = {
  stream: string
  firstMinuteMs: number
  closedMinuteMs: number
  sealedBeforeMs: number
  late: number
  future: number
  tooLate: number
}

/** A name that was counted with one meaning and is declared with another, or was given up (`removed`) and is back. */
export type DefinitionConflict = {
  kind: Declaration['kind']
  name: string
  /** The two meanings, as in `Declaration`. */
  counted: string
  declared: string
  removed: boolean
}

/** A day's closed minutes that have events or belong after the stream's first start. Times are ms, UTC. */
export type DayRows = {
  stream: string
  dayMs: number
  version: number
  firstMinuteMs: number
  closedMinuteMs: number
  /** Minutes with events, in order, each with its columns by name; columns without a value are 0. */
  minutes: { minuteMs: number; columns: Map<string, bigint> }[]
  lateMinutes: { minuteMs: number; version: number }[]
  /** Highest revision among the day's minutes once this is written. */
  revision: number
  positions: { topic: string; partition: number; incarnation: number; position: number }[]
}

/**
 * Where all state lives. One implementation for now; every method is asynchronous and takes and gives plain
 * data, so that a database server can stand behind it. Each call is one transaction, durable when it resolves.
 */
export type Store = {
  /** Made once per store. */
  readonly id: string
  /** The current incarnation of a partition; undefined: never seen. */
  partition(topic: string, partition: number): Promise<PartitionState | undefined>
  /** Writes down where reading of new partitions, or new incarnations of them, starts. Before their first fetch. */
  begin(starts: PartitionStart[]): Promise<PartitionState[]>
  /** @throws Error, with nothing changed, when a sum would pass 64 bits or the disk is full. */
  commit(delta: Delta): Promise<CommitResult>
  /** 'evicted': it was dropped to keep the table bounded. Undefined: there never was one. */
  letter(id: number): Promise<StoredLetter | 'evicted' | undefined>
  /**
   * Counts what a dead letter stands for, once: only 'redriven' has changed anything.
   *
   * @throws Error as `commit`.
   */
  redrive(id: number, redrive: Redrive, nowMs: number): Promise<RedriveResult>
  /** Writes down why a dead letter was not counted by the last attempt, unless it was counted before. */
  keepLetter(id: number, why: string): Promise<void>
  snapshot(): Promise<Snapshot>
  /** Makes a stream known; later calls change nothing. Days before `sealedBeforeMs` count as sealed from the start. */
  addStream(stream: string, firstMinuteMs: number, sealedBeforeMs: number): Promise<void>
  /**
   * Compares what the names of a stream mean now with what they meant when they were counted, and writes down new
   * ones: a new measure starts at 0, a new column with what its measure had. Conflicts, and nothing changed, when a
   * name means something else.
   */
  define(stream: string, declared: readonly Declaration[]): Promise<DefinitionConflict[]>
  /** Closes the minutes up to `minuteMs` and marks their days to be written. Never goes back. */
  close(stream: string, minuteMs: number): Promise<void>
  /** Marks a day's files to be written anew. */
  pend(stream: string, dayMs: number): Promise<void>
  /** Days that wait to be written, oldest first. */
  pendingDays(stream: string): Promise<number[]>
  day(stream: string, dayMs: number): Promise<DayRows>
  /** The files of `day` are durable: raises the revisions of its late minutes, and no longer pends unless it changed. */
  written(day: DayRows): Promise<void>
  /** Moves the minutes of the days before `beforeMs` into the baseline. Days that pend, or are not wholly closed, stay. */
  seal(stream: string, beforeMs: number): Promise<void>
  /** A whole, checked and durable copy of one moment in the new file `file`; nothing waits for it. `signal` ends it. */
  copy(file: string, signal?: AbortSignal): Promise<Copied>
  /** Gives the database back; no call may follow. */
  end(): Promise<void>
}
