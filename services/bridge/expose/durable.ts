import { REASONS } from '../codec/index.ts'
import { combinations, labelsKey } from '../fold/index.ts'
import type { PartitionTotals, Snapshot, StreamState } from '../store/index.ts'
import type { StreamDefinition } from '../streams/index.ts'
import type { Family, Labels, Sample } from './family.ts'

/** What the store holds, as metrics. All of it survives a restart; the counters never go back. */
export function createDurable(streams: readonly StreamDefinition[]) {
  const measures = streams.flatMap((stream) =>
    stream.measures.map(({ name, help, labels }) => {
      const known = stream.known ?? combinations(stream, labels)
      return { name, help, known: known.map((row) => labelsKey(pick(row, labels))) }
    }),
  )
  const parsed = new Map<string, Labels>()
  const parse = (labels: string) => {
    let object = parsed.get(labels)
    if (!object) {
      object = JSON.parse(labels) as Labels
      parsed.set(labels, object)
    }
    return object
  }
  return (snapshot: Snapshot): Family[] => {
    const byMeasure = Map.groupBy(snapshot.series, (row) => row.measure)
    const counters = measures.map(({ name, help, known }): Family => {
      const values = new Map(known.map((labels) => [labels, 0]))
      for (const { labels, value } of byMeasure.get(name) ?? []) values.set(labels, Number(value))
      const samples = [...values].map(([labels, value]) => ({ labels: parse(labels), value }))
      return { name, help, type: 'counter', samples }
    })
    return [
      ...counters,
      ...perPartition(snapshot.partitions),
      ...perTopic(streams, snapshot),
      ...perStream(snapshot.streams),
      {
        name: 'meterbridge_series',
        help: 'Series of a measure.',
        type: 'gauge',
        samples: counters.map(({ name, samples }) => ({
          labels: { measure: name },
          value: samples.length,
        })),
      },
      {
        name: 'meterbridge_series_overflow_total',
        help: 'Events that found no room among the series of a measure. Labels whose values are all listed leave room for each.',
        type: 'counter',
        samples: counters.map(({ name }) => ({ labels: { measure: name }, value: 0 })),
      },
      {
        name: 'meterbridge_store_bytes',
        help: 'Size of the store, with its write-ahead log.',
        type: 'gauge',
        samples: [{ labels: {}, value: snapshot.bytes }],
      },
    ]
  }
}

function pick(row: Labels, names: readonly string[]): Labels {
  return Object.fromEntries(names.map((name) => [name, row[name]!]))
}

type CountName =
  | 'accepted'
  | 'rejected'
  | 'duplicate'
  | 'lost'
  | 'recovered'
  | 'skipped'
  | 'undelivered'

function perPartition(partitions: PartitionTotals[]): Family[] {
  const where = ({ topic, partition }: PartitionTotals) => ({ topic, partition: String(partition) })
  const counter = (name: string, help: string, count: CountName): Family => ({
    name,
    help,
    type: 'counter',
    samples: partitions.map((row) => ({ labels: where(row), value: row[count] })),
  })
  const results = ['accepted', 'rejected', 'duplicate'] as const
  return [
    {
      name: 'meterbridge_records_total',
      help: 'Records read, by what became of them: counted, set aside as a dead letter, or dropped as sent twice.',
      type: 'counter',
      samples: partitions.flatMap((row) =>
        results.map((result) => ({ labels: { ...where(row), result }, value: row[result] })),
      ),
    },
    counter(
      'meterbridge_lost_records_total',
      'Numbered records proven missing by a jump of their sequence.',
      'lost',
    ),
    counter(
      'meterbridge_recovered_records_total',
      'Records that had been counted as lost and came after all.',
      'recovered',
    ),
    counter(
      'meterbridge_skipped_offsets_total',
      'Offsets that were gone from Kafka before they were read.',
      'skipped',
    ),
    counter(
      'meterbridge_undelivered_offsets_total',
      'Offsets that hold no record for a consumer: transaction markers, aborted and compacted records.',
      'undelivered',
    ),
    {
      name: 'meterbridge_position',
      help: 'Next offset to read: the counters of this page are the fold of the log up to here.',
      type: 'gauge',
      samples: partitions.map((row) => ({ labels: where(row), value: row.position })),
    },
  ]
}

function perTopic(streams: readonly StreamDefinition[], snapshot: Snapshot): Family[] {
  const { partitions, rejected, evicted } = snapshot
  const rejections: Sample[] = streams.flatMap(({ topic }) =>
    REASONS.map((reason) => ({
      labels: { topic, reason },
      value: rejected.find((row) => row.topic === topic && row.reason === reason)?.records ?? 0,
    })),
  )
  return [
    {
      name: 'meterbridge_rejected_records_total',
      help: 'Records that could not be an event, by reason.',
      type: 'counter',
      samples: rejections,
    },
    {
      name: 'meterbridge_redriven_records_total',
      help: 'Rejected records that were driven through again and counted; they stay counted as rejected too.',
      type: 'counter',
      samples: streams.map(({ topic }) => ({
        labels: { topic },
        value: partitions.reduce((sum, row) => (row.topic === topic ? sum + row.redriven : sum), 0),
      })),
    },
    {
      name: 'meterbridge_evicted_dead_letters_total',
      help: 'Dead letters whose bytes were dropped to keep the store bounded; they stay counted.',
      type: 'counter',
      samples: streams.map(({ topic }) => ({
        labels: { topic },
        value: evicted.find((row) => row.topic === topic)?.letters ?? 0,
      })),
    },
  ]
}

function perStream(states: StreamState[]): Family[] {
  const counter = (name: string, help: string, count: 'late' | 'future' | 'tooLate'): Family => ({
    name,
    help,
    type: 'counter',
    samples: states.map((row) => ({ labels: { stream: row.stream }, value: row[count] })),
  })
  return [
    counter(
      'meterbridge_late_events_total',
      'Events that came after their minute was closed; its file is written again.',
      'late',
    ),
    counter(
      'meterbridge_future_events_total',
      'Events whose minute lay beyond the clock when they were read.',
      'future',
    ),
    counter(
      'meterbridge_too_late_events_total',
      'Events older than the retention of minutes: in the totals, in no file.',
      'tooLate',
    ),
    {
      name: 'meterbridge_closed_minute_timestamp_seconds',
      help: 'Start of the last closed minute, in Unix time; 0: none yet.',
      type: 'gauge',
      samples: states.map(({ stream, closedMinuteMs }) => ({
        labels: { stream },
        value: Math.max(0, closedMinuteMs) / 1_000,
      })),
    },
  ]
}
