import type { TestEvent } from 'node:test/reporters'

/** What test/run.ts wants to know of a run beyond its exit code. */
export type Ledger = {
  skipped: { name: string; reason: string }[]
  /** Test files with the wall-clock time each took. */
  files: { file: string; durationMs: number }[]
}

/** A node:test reporter that yields one JSON object (Ledger) when the run is over. */
export default async function* ledger(events: AsyncIterable<TestEvent>) {
  const result: Ledger = { skipped: [], files: [] }
  for await (const { type, data } of events) {
    if (type === 'test:pass' && data.skip !== undefined) {
      result.skipped.push({ name: data.name, reason: String(data.skip) })
    }
    if (type === 'test:summary' && data.file) {
      result.files.push({ file: data.file, durationMs: data.duration_ms })
    }
  }
  yield JSON.stringify(result)
}
