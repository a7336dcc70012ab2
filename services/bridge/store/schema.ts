import { type SQLWrapper, sql } from 'drizzle-orm'
import { blob, check, index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { sum, whole } from './columns.ts'

/** SQLite turns a sum beyond 64 bits into a rounded real; this makes it an error instead. */
const isExact = (table: string, value: SQLWrapper) =>
  check(`${table}_exact`, sql`typeof(${value}) = 'integer'`)

/** Facts about the store itself: `store_id`. */
export const meta = sqliteTable('meta', {
  name: text('name').primaryKey(),
  value: text('value').notNull(),
})

/** One row per partition and incarnation of its topic. position - start = the six counts below it, always. */
export const partitions = sqliteTable(
  'partitions',
  {
    topic: text('topic').notNull(),
    partition: whole('partition').notNull(),
    /** 1, and one more each time the topic was deleted and created again. */
    incarnation: whole('incarnation').notNull(),
    /** Kafka's id of this incarnation, hex; null where the broker has none. */
    topicId: text('topic_id'),
    stream: text('stream').notNull(),
    start: whole('start').notNull(),
    position: whole('position').notNull(),
    accepted: whole('accepted').notNull().default(0),
    rejected: whole('rejected').notNull().default(0),
    duplicate: whole('duplicate').notNull().default(0),
    undelivered: whole('undelivered').notNull().default(0),
    skipped: whole('skipped').notNull().default(0),
    lost: whole('lost').notNull().default(0),
    recovered: whole('recovered').notNull().default(0),
    /** Of the rejected: driven through again and counted since. */
    redriven: whole('redriven').notNull().default(0),
    fingerprintOffset: whole('fingerprint_offset'),
    fingerprintHash: text('fingerprint_hash'),
    previousTimeMs: whole('previous_time_ms').notNull().default(0),
    /** Latest event time that was not beyond the clock; -1: none. */
    maxTimeMs: whole('max_time_ms').notNull().default(-1),
  },
  (table) => [primaryKey({ columns: [table.topic, table.partition, table.incarnation] })],
)

/** The last number of each producer incarnation, and the gaps that are still open (JSON: [{from,to}]). */
export const sources = sqliteTable(
  'sources',
  {
    topic: text('topic').notNull(),
    partition: whole('partition').notNull(),
    incarnation: whole('incarnation').notNull(),
    source: text('source').notNull(),
    last: whole('last').notNull(),
    gaps: text('gaps').notNull(),
    /** Offset of its latest record: what has been silent longest is forgotten first. */
    seen: whole('seen').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.topic, table.partition, table.incarnation, table.source] }),
  ],
)

/** Totals per series and partition; reading merges the partitions. */
export const series = sqliteTable(
  'series',
  {
    measure: text('measure').notNull(),
    /** JSON object, keys in the definition's order. */
    labels: text('labels').notNull(),
    partition: whole('partition').notNull(),
    value: sum('value').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.measure, table.labels, table.partition] }),
    isExact('series', table.value),
  ],
)

/** Minute columns per partition. Total of a column = baseline + minutes. */
export const minutes = sqliteTable(
  'minutes',
  {
    stream: text('stream').notNull(),
    minuteMs: whole('minute_ms').notNull(),
    column: text('column').notNull(),
    partition: whole('partition').notNull(),
    value: sum('value').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.stream, table.minuteMs, table.column, table.partition] }),
    isExact('minutes', table.value),
  ],
)

/** What the minutes older than the retention added up to. */
export const baselines = sqliteTable(
  'baselines',
  {
    stream: text('stream').notNull(),
    column: text('column').notNull(),
    value: sum('value').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.stream, table.column] }),
    isExact('baselines', table.value),
  ],
)

export const streamStates = sqliteTable('streams', {
  stream: text('stream').primaryKey(),
  /** The minute of the first start: from it on, closed minutes without events have rows of zeros. */
  firstMinuteMs: whole('first_minute_ms').notNull(),
  /** The last closed minute: rows up to it are in the files, or their day is pending; -1: none. */
  closedMinuteMs: whole('closed_minute_ms').notNull().default(-1),
  /** Days before this are sealed. */
  sealedBeforeMs: whole('sealed_before_ms').notNull().default(0),
  late: whole('late').notNull().default(0),
  future: whole('future').notNull().default(0),
  tooLate: whole('too_late').notNull().default(0),
})

/** Days whose files wait to be written: a minute closed, or a late event came. */
export const pendingDays = sqliteTable(
  'pending_days',
  {
    stream: text('stream').notNull(),
    dayMs: whole('day_ms').notNull(),
    /** Raised by each change, so that a change during writing is not taken for written. */
    version: whole('version').notNull().default(1),
  },
  (table) => [primaryKey({ columns: [table.stream, table.dayMs] })],
)

/** Closed minutes that late events have changed since their row was last written. */
export const lateMinutes = sqliteTable(
  'late_minutes',
  {
    stream: text('stream').notNull(),
    minuteMs: whole('minute_ms').notNull(),
    /** As in `pending_days`. */
    version: whole('version').notNull().default(1),
  },
  (table) => [primaryKey({ columns: [table.stream, table.minuteMs] })],
)

/** Revisions above 1: how often a published row has changed. */
export const revisions = sqliteTable(
  'revisions',
  {
    stream: text('stream').notNull(),
    minuteMs: whole('minute_ms').notNull(),
    revision: whole('revision').notNull(),
  },
  (table) => [primaryKey({ columns: [table.stream, table.minuteMs] })],
)

export const rejections = sqliteTable(
  'rejections',
  {
    topic: text('topic').notNull(),
    reason: text('reason').notNull(),
    records: whole('records').notNull(),
  },
  (table) => [primaryKey({ columns: [table.topic, table.reason] })],
)

/** Dead letters whose bytes were dropped to keep the table bounded; they stay counted. */
export const evictions = sqliteTable('evictions', {
  topic: text('topic').primaryKey(),
  letters: whole('letters').notNull(),
})

export const deadLetters = sqliteTable(
  'dead_letters',
  {
    /** In order of burial. Comes as a bigint: only compared, never calculated with. */
    id: integer('id').primaryKey(),
    topic: text('topic').notNull(),
    partition: whole('partition').notNull(),
    incarnation: whole('incarnation').notNull(),
    offset: whole('offset').notNull(),
    /** More than 1 for a batch that could not be decompressed. */
    records: whole('records').notNull(),
    reason: text('reason').notNull(),
    detail: text('detail').notNull(),
    timestampMs: whole('timestamp_ms').notNull(),
    key: blob('key', { mode: 'buffer' }),
    value: blob('value', { mode: 'buffer' }),
    valueBytes: whole('value_bytes').notNull(),
    hash: text('hash').notNull(),
    /** When it was driven through again and counted; null: not yet. */
    redrivenMs: whole('redriven_ms'),
    /** Why the last attempt to drive it through again did not count it. */
    redriveError: text('redrive_error'),
  },
  (table) => [index('dead_letters_by_record').on(table.topic, table.partition, table.offset)],
)

/** What each name of a stream definition meant when it was counted, so that no other meaning gets under it. */
export const definitions = sqliteTable(
  'definitions',
  {
    stream: text('stream').notNull(),
    kind: text('kind', { enum: ['stream', 'measure', 'column'] }).notNull(),
    name: text('name').notNull(),
    /** JSON: the declarative parts, and the versions of the functions. */
    meaning: text('meaning').notNull(),
    /** Events of the stream that were counted before a measure or column was added. */
    eventsBefore: whole('events_before').notNull().default(0),
    /** 0: defined; else taken out of the definition, when this less 1 events had been counted. */
    removed: whole('removed').notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.stream, table.kind, table.name] })],
)
