import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from '../../runtime/logger.ts'
import { placeAt } from './batch.ts'
import { Segment } from './segment.ts'

/** Per partition. The oldest segment goes when the others still hold as much as `retentionBytes`. */
export const LOG_LIMITS = { segmentBytes: 16 * 2 ** 20, retentionBytes: 256 * 2 ** 20 }

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

  constructor(folder: string, logger: Logger, limits = LOG_LIMITS) {
    this.#folder = folder
    this.#limits = limits
    mkdirSync(folder, { recursive: true })
    const files = readdirSync(folder).filter((name) => /^\d{20}\.log$/.test(name))
    for (const file of files.sort()) {
      const segment = new Segment(join(folder, file), Number.parseInt(file, 10))
      this.#segments.push(segment)
      const cutBytes = segment.recover(file === files.at(-1))
      if (cutBytes > 0) logger.warn({ folder, file, cutBytes }, 'cut a torn tail')
    }
  }

  /** The first offset that is still here; it moves when retention deletes a segment. */
  startOffset = () => this.#segments[0]?.baseOffset ?? 0
  /** The offset of the next record. */
  endOffset = () => this.#segments.at(-1)?.endOffset ?? 0
  /** Where to read on from `offset`; undefined at the end. */
  segmentFrom = (offset: number) => this.#segments.find(({ endOffset }) => endOffset > offset)

  /** Appends a checked batch, writes its offset into it and returns that. @throws when the disk refuses. */
  append(batch: Buffer): number {
    const baseOffset = this.endOffset()
    placeAt(batch, baseOffset)
    let active = this.#segments.at(-1)
    const isFull = (active?.sizeBytes ?? 0) + batch.length > this.#limits.segmentBytes
    if (!active || (isFull && active.sizeBytes > 0)) {
      const file = `${String(baseOffset).padStart(20, '0')}.log`
      active = new Segment(join(this.#folder, file), baseOffset)
      this.#segments.push(active)
    }
    active.append(batch)
    const [oldest] = this.#segments
    const heldBytes = this.#segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    if (oldest && heldBytes - oldest.sizeBytes >= this.#limits.retentionBytes) {
      this.#segments.shift()
      oldest.remove()
    }
    return baseOffset
  }

  /** The first batch with a record at or after `timestamp`, in milliseconds. */
  find = (timestamp: number) => this.#segments.flatMap((each) => each.find(timestamp) ?? [])[0]
}
