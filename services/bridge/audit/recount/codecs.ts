import { zstdDecompressSync } from 'node:zlib'
import kafkajs from 'kafkajs'
import lz4 from 'lz4js'
import snappy from 'snappyjs'

const MAX_BYTES = 256 * 1024 * 1024
const XERIAL_MAGIC = '82534e4150505900'
const XERIAL_HEADER_BYTES = 16

const { CompressionCodecs, CompressionTypes } = kafkajs

/** Teaches kafkajs the codecs that it comes without; gzip it has. */
export function registerCodecs() {
  register(CompressionTypes.Snappy, (bytes) =>
    bytes.toString('hex', 0, 8) === XERIAL_MAGIC ? unframe(bytes) : uncompress(bytes),
  )
  register(CompressionTypes.LZ4, (bytes) => lz4.decompress(bytes, MAX_BYTES))
  register(CompressionTypes.ZSTD, (bytes) => zstdDecompressSync(bytes))
}

function register(type: number, decompress: (bytes: Buffer) => Uint8Array) {
  CompressionCodecs[type as keyof typeof CompressionCodecs] = () => ({
    compress: () => Promise.reject(new Error('the audit only reads')),
    decompress: async (bytes: Buffer) => Buffer.from(decompress(bytes)),
  })
}

/** snappy-java's framing: a header, then blocks, each behind its length. */
function unframe(bytes: Buffer): Uint8Array {
  const blocks: Uint8Array[] = []
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    blocks.push(uncompress(bytes.subarray(at + 4, at + 4 + length)))
    at += 4 + length
  }
  return Buffer.concat(blocks)
}

function uncompress(bytes: Buffer): Uint8Array {
  return snappy.uncompress(bytes, MAX_BYTES)
}
