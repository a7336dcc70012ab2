import { index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'

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

/** The last number given out per topic-partition, and by which incarnation of the shop. */
export const outboxSequences = sqliteTable(
  'outbox_sequences',
  {
    topic: text('topic').notNull(),
    partition: integer('partition').notNull(),
    source: text('source').notNull(),
    sequence: integer('sequence').notNull(),
  },
  (table) => [primaryKey({ columns: [table.topic, table.partition] })],
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
})
