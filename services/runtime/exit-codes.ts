/** What a process ends with, so that a supervisor can tell whether a fresh start is the mend (docs/runbook.md). */
export const EXIT = {
  /** It refused to start with a sentence that names the mend, or met a defect. */
  refused: 1,
  /** Kafka did not answer at start. */
  kafkaUnreachable: 69,
  /** The Kafka client died while the process lived. */
  consumerDead: 70,
  /** Counting stood still, and connecting anew did not help. */
  stalled: 75,
} as const

/** Ends that are not a person's to mend: starting again is. */
export const RESTARTABLE: readonly number[] = [
  EXIT.kafkaUnreachable,
  EXIT.consumerDead,
  EXIT.stalled,
]
