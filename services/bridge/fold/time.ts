import { HEADERS } from '../../kafka/headers.ts'
import { ABSENT, INVALID, MAX_TIMESTAMP_MS, type RecordReader, Rejection } from '../codec/index.ts'

export const NO_TIME = new Rejection(
  'time',
  `the header ${HEADERS.time} is not a number of milliseconds since 1970`,
)

/** When it happened, in ms: the header's, else the record's. `ABSENT`: it has neither; `INVALID`: the header is no time. */
export function timeOf({ timeMs, timestampMs }: RecordReader): number {
  if (timeMs === ABSENT) return timestampMs >= 0 ? timestampMs : ABSENT
  return timeMs >= 0 && timeMs <= MAX_TIMESTAMP_MS ? timeMs : INVALID
}
