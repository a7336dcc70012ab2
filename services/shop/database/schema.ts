import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

export const orders = sqliteTable('orders', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  customerEmail: text('customer_email').notNull(),
  amount: integer('amount').notNull(),
  totalPrice: integer('total_price').notNull(),
  isPrepaid: integer('is_prepaid', { mode: 'boolean' }).notNull(),
  createdAt: integer('created_at', { mode: 'timestamp_ms' }).notNull(),
})

/** Which order a form became, so that sending it again makes no second one. */
export const orderForms = sqliteTable('order_forms', {
  token: text('token').primaryKey(),
  orderId: integer('order_id')
    .notNull()
    .references(() => orders.id),
})

/** Events that Kafka has not acknowledged yet, in the order in which they happened. */
export const outbox = sqliteTable(
  'outbox',
  {
    id: integer('id').primaryKey(),
    topic: text('topic').notNull(),
    key: text('key'),
    value: text('value').notNull(),
    /** Milliseconds since 1970. */
    eventTime: integer('event_time').notNull(),
    /** Set together when the event is numbered, just before it is first sent. */
    partition: integer('partition'),
    source: text('source'),
    sequence: integer('sequence'),
    /** On a source's first record of a partition: `<previous source>:<its last sequence>`. */
    previous: text('previous'),
  },
  (table) => [index('outbox_topic').on(table.topic)],
)

/**
 * Events that Kafka has acknowledged, in that order, so that a range which never reached its readers can be sent
 * again with its own numbers. A table apart: what waits stays small and quick to find. Bounded by sent.ts.
 */
export const outboxSent = sqliteTable('outbox_sent', {
  id: integer('id').primaryKey(),
  topic: text('topic').notNull(),
  key: text('key'),
  value: text('value').notNull(),
  eventTime: integer('event_time').notNull(),
  partition: integer('partition').notNull(),
  source: text('source').notNull(),
  sequence: integer('sequence').notNull(),
  previous: text('previous'),
  /** Milliseconds since 1970. */
  acknowledgedAt: integer('acknowledged_at').notNull(),
})

/** The last number that each incarnation of the shop gave out per topic-partition; the highest id is the newest. */
export const outboxSequences = sqliteTable(
  'outbox_sequences',
  {
    id: integer('id').primaryKey({ autoIncrement: true }),
    topic: text('topic').notNull(),
    partition: integer('partition').notNull(),
    source: text('source').notNull(),
    sequence: integer('sequence').notNull(),
  },
  (table) => [
    uniqueIndex('outbox_sequences_source').on(table.topic, table.partition, table.source),
  ],
)

/** Events that Kafka refuses for good; kept for a person to judge. */
export const outboxSetAside = sqliteTable('outbox_set_aside', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  topic: text('topic').notNull(),
  partition: integer('partition').notNull(),
  key: text('key'),
  value: text('value').notNull(),
  eventTime: integer('event_time').notNull(),
  error: text('error').notNull(),
  setAsideAt: integer('set_aside_at').notNull(),
  /** The number of one that an earlier attempt may have brought to Kafka; null: the number went to the next event. */
  source: text('source'),
  sequence: integer('sequence'),
  previous: text('previous'),
})
