import { createRequire } from 'node:module'
import { gzipSync, zstdCompressSync } from 'node:zlib'

const require = createRequire(import.meta.url)
const snappy = require('snappyjs') as { compress(bytes: Buffer): Buffer }
const lz4 = require('lz4js') as { compress(bytes: Buffer): Uint8Array }

const XERIAL_HEADER = Buffer.from('82534e41505059000000000100000001', 'hex')
/** As snappy-java does. */
const XERIAL_BLOCK_BYTES = 32 * 1024

/** Every way in which Kafka clients compress the records of a batch. */
export const COMPRESSIONS: { name: string; codecId: number; compress(bytes: Buffer): Buffer }[] = [
  { name: 'none', codecId: 0, compress: (bytes) => bytes },
  { name: 'gzip', codecId: 1, compress: (bytes) => gzipSync(bytes) },
  { name: 'snappy, raw', codecId: 2, compress: (bytes) => snappy.compress(bytes) },
  { name: 'snappy, framed by snappy-java', codecId: 2, compress: compressXerial },
  { name: 'lz4', codecId: 3, compress: (bytes) => Buffer.from(lz4.compress(bytes)) },
  { name: 'zstd', codecId: 4, compress: (bytes) => zstdCompressSync(bytes) },
]

function compressXerial(bytes: Buffer): Buffer {
  const parts: Buffer[] = [XERIAL_HEADER]
  for (let at = 0; at < bytes.length; at += XERIAL_BLOCK_BYTES) {
    const block = snappy.compress(bytes.subarray(at, at + XERIAL_BLOCK_BYTES))
    const size = Buffer.alloc(4)
    size.writeUInt32BE(block.length)
    parts.push(size, block)
  }
  return Buffer.concat(parts)
}
