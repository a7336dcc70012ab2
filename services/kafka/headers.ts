/**
 * Record headers by which a producer tells what the value does not. All are text (UTF-8); all are optional,
 * so any Kafka client can produce without them and is then counted by offset.
 */
export const HEADERS = {
  /** When it happened: milliseconds since 1970-01-01 UTC, decimal. Absent: the record's timestamp counts. */
  time: 'mb-time',
  /** The producer's incarnation: 1 to 64 characters, new at every process start. */
  source: 'mb-source',
  /** The record's number: decimal, dense from 1 per source, topic and partition. */
  sequence: 'mb-seq',
  /** On a source's first record per partition: `<previous source>:<its last sequence>`. */
  previous: 'mb-prev',
} as const
