import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../runtime/logger.ts'
import { placeAt } from './batch.ts'
import { Segment } from './segment.ts'

/** Per partition. The oldest segment goes when the others still hold as much as `retentionBytes`. */
export const LOG_LIMITS = { segmentBytes: 16 * 2 ** 20, retentionBytes: 512 * 2 ** 20 }

/**
 * The log of one topic-partition: a folder of segment files, named by their first offset.
 *
 * An appended batch was handed to the operating system before `append` returns: it survives the end of this
 * process, kill -9 included. It is not forced to the disk: a power cut may take what came last.
 */
export class PartitionLog {
  readonly #folder: string
  readonly #limits: typeof LOG_LIMITS
  readonly #segments: Segment[] = []
  readonly #waiting = new Set<() => void>()

  constructor(folder: string, logger: Logger, limits = LOG_LIMITS) {
    this.#folder = folder
    this.#limits = limits
    mkdirSync(folder, { recursive: true })
    for (const file of readdirSync(folder).sort()) {
      if (/^\d{20}\.log$/.test(file)) this.#open(file, logger)
    }
  }

  /** The first offset that is still here; it moves when retention deletes a segment. */
  get startOffset(): number {
    return this.#segments[0]?.baseOffset ?? 0
  }

  /** The offset of the next record. */
  get endOffset(): number {
    return this.#segments.at(-1)?.endOffset ?? 0
  }

  /**
   * Appends a checked batch, writing its offset into it.
   *
   * @returns the offset of its first record.
   * @throws the system's error when the disk refuses; nothing is then appended.
   */
  append(batch: Buffer): number {
    const baseOffset = this.endOffset
    placeAt(batch, baseOffset)
    let active = this.#segments.at(-1)
    if (
      !active ||
      (active.sizeBytes && active.sizeBytes + batch.length > this.#limits.segmentBytes)
    ) {
      const file = `${String(baseOffset).padStart(20, '0')}.log`
      active = new Segment(join(this.#folder, file), baseOffset)
      this.#segments.push(active)
    }
    active.append(batch)
    this.#deleteOldest()
    for (const wake of this.#waiting) wake()
    return baseOffset
  }

  /**
   * Whole batches up to `maxBytes`, from the one that holds `offset` on; that one however large if `atLeastOne`.
   *
   * @param offset from `startOffset` to `endOffset`, where there is nothing.
   */
  read(offset: number, maxBytes: number, atLeastOne: boolean): Buffer {
    const segment = this.#segments.findLast(({ baseOffset }) => baseOffset <= offset)
    if (!segment || offset >= segment.endOffset) return Buffer.alloc(0)
    return segment.read(offset, maxBytes, atLeastOne)
  }

  /** Header of the first batch with a record at or after `timestamp`, in milliseconds. */
  batchAt(timestamp: number) {
    return this.#segments.find((each) => each.maxTimestamp >= timestamp)?.batchAt(timestamp)
  }

  /** Calls `wake` after every append until the returned function is called. */
  onAppend(wake: () => void): () => void {
    this.#waiting.add(wake)
    return () => this.#waiting.delete(wake)
  }

  close() {
    for (const segment of this.#segments) segment.close()
  }

  #open(file: string, logger: Logger) {
    const segment = new Segment(join(this.#folder, file), Number.parseInt(file, 10))
    if (this.#segments.length > 0 && segment.baseOffset !== this.endOffset) {
      logger.error(
        { segment: segment.path },
        'deleted a segment that does not follow the one before',
      )
      return segment.remove()
    }
    this.#segments.push(segment)
    const cutBytes = segment.recover()
    if (cutBytes > 0) logger.warn({ segment: segment.path, cutBytes }, 'cut a torn tail')
  }

  #deleteOldest() {
    const heldBytes = this.#segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    const [oldest] = this.#segments
    if (!oldest || heldBytes - oldest.sizeBytes < this.#limits.retentionBytes) return
    this.#segments.shift()
    oldest.remove()
  }
}
