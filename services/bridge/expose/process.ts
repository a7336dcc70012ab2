import { statfsSync } from 'node:fs'
import type { Family } from './family.ts'
import { BulkHistogram } from './histogram.ts'

const COMMIT_BOUNDS_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5,
]
/** 5 ms to 1 day. */
const DELAY_BOUNDS_SECONDS = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 14_400, 86_400,
]

/** How far one stream is, read at each scrape. Times are ms; -1: unknown. */
export type StreamStatus = {
  stream: string
  topic: string
  caughtUp: boolean
  watermarkMs: number
  readAtMs: number
  lags: { partition: number; records: number }[]
}

/** What this process tells about itself; it starts anew with each process. */
export class ProcessMetrics {
  readonly #commit = new BulkHistogram(
    'meterbridge_commit_seconds',
    'Time that a transaction took until it was durable.',
    COMMIT_BOUNDS_SECONDS,
  )
  readonly #delay = new BulkHistogram(
    'meterbridge_event_delay_seconds',
    'Time from the record timestamp of an event until it was counted.',
    DELAY_BOUNDS_SECONDS,
  )
  readonly #errors = new Map<string, number>()
  #differences: number | undefined
  #lastCleanAuditMs = 0

  constructor(streams: string[], targets: string[]) {
    this.#commit.touch({})
    for (const stream of streams) this.#delay.touch({ stream })
    for (const target of targets) this.#errors.set(target, 0)
  }

  /** A commit at `nowMs` that counted events with these timestamps (ms, -1: none). */
  committed(stream: string, timestampsMs: Float64Array, commitSeconds: number, nowMs: number) {
    this.#commit.observe({}, [commitSeconds])
    const delays = timestampsMs.filter((ms) => ms >= 0).map((ms) => Math.max(0, nowMs - ms) / 1_000)
    this.#delay.observe({ stream }, delays)
  }

  rollupFailed(target: string) {
    this.#errors.set(target, (this.#errors.get(target) ?? 0) + 1)
  }

  /** The bridge audited itself, until `nowMs`, and found so many differences. */
  audited(differences: number, nowMs: number) {
    this.#differences = differences
    if (differences === 0) this.#lastCleanAuditMs = nowMs
  }

  families(statuses: StreamStatus[], dataDir: string, version: string): Family[] {
    return [
      this.#commit.family(),
      this.#delay.family(),
      ...perStream(statuses),
      {
        name: 'meterbridge_rollup_errors_total',
        help: 'Failed attempts to write files, by target; they are tried again.',
        type: 'counter',
        samples: [...this.#errors].map(([target, value]) => ({ labels: { target }, value })),
      },
      {
        name: 'meterbridge_audit_differences',
        help: 'What did not agree at the last audit of store and files; absent before the first.',
        type: 'gauge',
        samples: this.#differences === undefined ? [] : [{ labels: {}, value: this.#differences }],
      },
      {
        name: 'meterbridge_audit_last_success_timestamp_seconds',
        help: 'When an audit of store and files last found that all agrees, in Unix time; 0: not yet.',
        type: 'gauge',
        samples: [{ labels: {}, value: this.#lastCleanAuditMs / 1_000 }],
      },
      {
        name: 'meterbridge_data_free_bytes',
        help: 'Free space where the data folder is.',
        type: 'gauge',
        samples: [{ labels: {}, value: freeBytes(dataDir) }],
      },
      {
        name: 'meterbridge_build_info',
        help: 'Always 1; the labels name the running version.',
        type: 'gauge',
        samples: [{ labels: { version, node: process.version }, value: 1 }],
      },
    ]
  }
}

function perStream(statuses: StreamStatus[]): Family[] {
  const read = statuses.filter(({ readAtMs }) => readAtMs >= 0)
  return [
    {
      name: 'meterbridge_caught_up',
      help: 'Whether everything in Kafka at the last reading of its ends, at most 30 s ago, is counted (1) or not (0).',
      type: 'gauge',
      samples: statuses.map(({ stream, caughtUp }) => ({
        labels: { stream },
        value: caughtUp ? 1 : 0,
      })),
    },
    {
      name: 'meterbridge_consumer_lag_records',
      help: 'Offsets in Kafka that are not read yet, at the last reading of its ends.',
      type: 'gauge',
      samples: read.flatMap(({ topic, lags }) =>
        lags.map(({ partition, records }) => ({
          labels: { topic, partition: String(partition) },
          value: records,
        })),
      ),
    },
    {
      name: 'meterbridge_lag_read_timestamp_seconds',
      help: "When a topic's ends were read from Kafka last, in Unix time; 0: never.",
      type: 'gauge',
      samples: statuses.map(({ topic, readAtMs }) => ({
        labels: { topic },
        value: Math.max(0, readAtMs) / 1_000,
      })),
    },
    {
      name: 'meterbridge_watermark_timestamp_seconds',
      help: 'Everything that happened before this is counted, as far as can be known, in Unix time; 0: unknown.',
      type: 'gauge',
      samples: statuses.map(({ stream, watermarkMs }) => ({
        labels: { stream },
        value: Math.max(0, watermarkMs) / 1_000,
      })),
    },
  ]
}

function freeBytes(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}
