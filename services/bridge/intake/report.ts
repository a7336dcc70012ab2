import type { Logger } from '../../runtime/logger.ts'
import type { Delta } from '../fold/index.ts'

/** Logs what a person should hear of a commit; of many dead letters the first, of many losses the first few. */
export function report(delta: Delta, logger: Logger) {
  const { counts, deadLetters, losses } = delta
  const { topic, partition } = delta.key
  const { skipped, lost, rejected } = counts
  if (skipped > 0)
    logger.warn({ topic, partition, skipped }, 'offsets were gone before they were read')
  if (lost > 0) logger.warn({ topic, partition, lost, losses }, 'records are proven missing')
  const [letter] = deadLetters
  if (!letter) return
  const { offset, reason, detail } = letter
  logger.warn({ rejected }, `${topic}/${partition}@${offset}: ${reason}: ${detail}`)
}
