import type { Logger } from '../../runtime/logger.ts'
import type { Delta } from '../fold/index.ts'

/** Logs what a person should hear of a commit; of many dead letters the first, of many losses the first few. */
export function report(delta: Delta, logger: Logger) {
  const { counts, deadLetters, losses } = delta
  const { topic, partition } = delta.key
  const { skipped, lost, recovered, rejected } = counts
  if (skipped > 0) {
    const offsets = `${delta.from} to ${delta.from + skipped - 1}`
    logger.warn({ topic, partition, skipped }, `offsets ${offsets} were gone before they were read`)
  }
  if (recovered > 0) logger.info({ topic, partition, recovered }, 'lost records came after all')
  if (lost > 0) logger.warn({ topic, partition, lost, losses }, 'records are proven missing')
  const [letter] = deadLetters
  if (!letter) return
  const { offset, reason, detail } = letter
  logger.warn({ rejected }, `${topic}/${partition}@${offset}: ${reason}: ${detail}`)
}
