import { bands, stat, timeseries } from './panel.ts'
import { growth, p95, perMinute, series } from './query.ts'

const records = (result: string) => series('meterbridge_records_total', `result="${result}"`)
const lost = growth(series('meterbridge_lost_records_total'))
const recovered = growth(series('meterbridge_recovered_records_total'))
const IN_RANGE = 'Within the time range shown.'

export const trust = [
  bands(
    {
      title: 'Answering and caught up',
      description:
        'Whether bridge and shop answered, and whether each stream was counted up to its end.',
      unit: 'none',
      width: 12,
      queries: [
        { expr: `max by (instance) (${series('up')})`, legend: '{{instance}} answers' },
        {
          expr: `min by (stream) (${series('meterbridge_caught_up')})`,
          legend: '{{stream}} caught up',
        },
      ],
    },
    { yes: 'yes', no: 'no' },
  ),
  timeseries({
    title: 'Records waiting in Kafka',
    description: 'Lag: records behind the position up to which all is counted and durable.',
    unit: 'short',
    width: 6,
    queries: [
      {
        expr: `sum by (topic, partition) (${series('meterbridge_consumer_lag_records')})`,
        legend: '{{topic}}/{{partition}}',
      },
    ],
  }),
  timeseries({
    title: 'From event to counter, 95th percentile',
    description:
      "From the record's timestamp to its durable count; 0 when nothing was counted. High after an outage.",
    unit: 's',
    width: 6,
    queries: [{ expr: p95('meterbridge_event_delay_seconds', 'stream'), legend: '{{stream}}' }],
  }),
  stat({
    title: 'Dead letters',
    description: `Records that could not be counted, kept with the reason. ${IN_RANGE}`,
    unit: 'locale',
    width: 4,
    badFrom: 1,
    queries: [
      { expr: growth(series('meterbridge_rejected_records_total')), legend: 'dead letters' },
    ],
  }),
  stat({
    title: 'Lost',
    description: `Records proven missing by the numbers that their producer gave them, less those that came after all. ${IN_RANGE}`,
    unit: 'locale',
    width: 4,
    badFrom: 1,
    queries: [{ expr: `${lost} - ${recovered}`, legend: 'lost' }],
  }),
  stat({
    title: 'Gone before reading',
    description: `Offsets that Kafka deleted before the bridge read them. ${IN_RANGE}`,
    unit: 'locale',
    width: 4,
    badFrom: 1,
    queries: [{ expr: growth(series('meterbridge_skipped_offsets_total')), legend: 'gone' }],
  }),
  stat({
    title: 'Duplicates dropped',
    description: `Records sent twice and counted once: normal after an outage. ${IN_RANGE}`,
    unit: 'locale',
    width: 4,
    queries: [{ expr: growth(records('duplicate')), legend: 'duplicates' }],
  }),
  stat({
    title: 'Late events',
    description: `Events of a minute that was published before; its row is written again. ${IN_RANGE}`,
    unit: 'locale',
    width: 4,
    queries: [{ expr: growth(series('meterbridge_late_events_total')), legend: 'late' }],
  }),
  stat({
    title: 'File errors',
    description: `Attempts to write a minute file that failed; they are tried again. ${IN_RANGE}`,
    unit: 'locale',
    width: 4,
    badFrom: 1,
    queries: [{ expr: growth(series('meterbridge_rollup_errors_total')), legend: 'errors' }],
  }),
  timeseries({
    title: 'Dead letters by reason',
    description: 'Per minute, by topic and reason.',
    unit: 'cpm',
    width: 6,
    stack: true,
    queries: [
      {
        expr: perMinute(series('meterbridge_rejected_records_total'), ['topic', 'reason']),
        legend: '{{topic}}: {{reason}}',
      },
    ],
  }),
  timeseries({
    title: 'Events in the outbox',
    description:
      'Events of the shop that are stored and not yet in Kafka; refused are those that Kafka will never take.',
    unit: 'short',
    width: 6,
    queries: [
      { expr: `sum(${series('shop_outbox_records')})`, legend: 'waiting' },
      { expr: `sum(${series('shop_outbox_set_aside_records')})`, legend: 'refused' },
    ],
  }),
  timeseries({
    title: 'Oldest event in the outbox',
    description: 'How long it has waited; 0 when the outbox is empty.',
    unit: 's',
    width: 6,
    queries: [
      {
        expr: `time() - ${series('shop_outbox_oldest_timestamp_seconds')} or 0 * ${series('shop_outbox_records')}`,
        legend: '{{instance}}',
      },
    ],
  }),
  timeseries({
    title: 'Age of the last closed minute',
    description:
      'From the start of the last minute whose row is published: 1 to 2 minutes when all is well, with or without traffic.',
    unit: 's',
    width: 6,
    queries: [
      {
        expr: `time() - (${series('meterbridge_closed_minute_timestamp_seconds')} > 0)`,
        legend: '{{stream}}',
      },
    ],
  }),
]
