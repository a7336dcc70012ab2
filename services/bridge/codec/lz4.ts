import lz4 from 'lz4js'

const MAGIC = 0x184d2204
const CONTENT_SIZE = 0x08
const BLOCK_CHECKSUM = 0x10
const UNCOMPRESSED = 0x80000000
/** By the block size id in the frame descriptor (https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md). */
const BLOCK_BYTES: Record<number, number> = { 4: 1 << 16, 5: 1 << 18, 6: 1 << 20, 7: 1 << 22 }

/** One LZ4 frame. @throws Error when damaged, cut off or possibly longer than `maxBytes`. */
export function decompressLz4(bytes: Buffer, maxBytes: number): Uint8Array {
  const bound = frameBound(bytes)
  if (bound > maxBytes) throw new Error(`an lz4 frame may hold ${bound} bytes, over ${maxBytes}`)
  return lz4.decompress(bytes, bound)
}

/**
 * The most bytes that the frame can decompress to. lz4js 0.2.0 reads on past the end of a damaged frame, for
 * up to 2^31 bytes, so the blocks are walked first.
 */
function frameBound(bytes: Buffer): number {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== MAGIC) throw new Error('not an lz4 frame')
  const flags = bytes[4] ?? 0
  // lz4js looks for these checksums on the wrong side of a block; no Kafka client writes them.
  if (flags & BLOCK_CHECKSUM) throw new Error('an lz4 frame has block checksums')
  const blockBytes = BLOCK_BYTES[((bytes[5] ?? 0) >> 4) & 7]
  if (!blockBytes) throw new Error('an lz4 frame has an unknown block size')
  let at = flags & CONTENT_SIZE ? 15 : 7
  let bound = 0
  for (;;) {
    if (at + 4 > bytes.length) throw new Error('an lz4 frame is cut off')
    const word = bytes.readUInt32LE(at)
    if (word === 0) return bound
    const size = word % UNCOMPRESSED
    // lz4js decompresses a block by what its tokens say: no more than 255 bytes come of one.
    bound += word >= UNCOMPRESSED ? size : Math.min(blockBytes, size * 255)
    at += 4 + size
  }
}
