/** One thing that is not as it must be. */
export type Difference = {
  /** Which check found it. */
  check: string
  /** What it is about: a partition, a column, a file, a minute. */
  where: string
  expected: string
  found: string
  /** The day whose files, written anew, are right again; `dayMs` is its start. */
  mend?: { stream: string; dayMs: number }
}

/** What became of the offsets of a partition, in one incarnation of its topic. */
export type PartitionAccount = {
  topic: string
  partition: number
  incarnation: number
  start: number
  position: number
  accepted: number
  rejected: number
  duplicate: number
  undelivered: number
  skipped: number
  lost: number
  recovered: number
  redriven: number
}

/** Where a column's total stands: total = baseline + minutes, and minutes = files + pending. */
export type ColumnAccount = {
  stream: string
  column: string
  total: bigint
  baseline: bigint
  minutes: bigint
  /** As the files say. */
  files: bigint
  /** In the store, and waiting for its minute to close or its file to be written. */
  pending: bigint
}

/** What stands in no comparison, and why. */
export type Note = { where: string; note: string }

/** One part of an audit: what it compared, what differs, and what could not be compared or waits. */
export type Findings = { differences: Difference[]; notes: Note[] }
