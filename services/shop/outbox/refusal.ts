type ProtocolError = Error & { type: string }

/** Kafka's answers that are about the records sent, and stay the same however often they are sent. */
const REFUSALS = [
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_TIMESTAMP',
  'INVALID_RECORD',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
]

/** The refusal within what kafkajs threw; undefined for a fault that may pass. */
export function refusalOf(error: unknown): ProtocolError | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (REFUSALS.includes((at as ProtocolError).type)) return at as ProtocolError
  }
  return undefined
}

/** Kafka 4 takes no record stamped more than an hour ahead of its own clock. */
export function invalidTimestamp(refusal: Error): boolean {
  return (refusal as ProtocolError).type === 'INVALID_TIMESTAMP'
}
