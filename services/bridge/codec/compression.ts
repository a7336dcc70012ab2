import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { decompressLz4 } from './lz4.ts'
import { decompressSnappy } from './snappy.ts'

/** A batch that claims to be larger is refused: brokers take 1 MiB unless told otherwise, and JSON shrinks some hundredfold at most. */
const MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024

type Codec = (bytes: Buffer, maxBytes: number) => Uint8Array

/** By Kafka's codec id; 0 is 'none'. */
const CODECS: Record<number, Codec> = {
  1: (bytes, maxOutputLength) => gunzipSync(bytes, { maxOutputLength }),
  2: decompressSnappy,
  3: decompressLz4,
  4: (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }),
}

/**
 * The records section of a batch, decompressed.
 *
 * @throws Error for an unknown codec, damaged bytes, or more than 128 MiB.
 */
export function decompress(codecId: number, bytes: Buffer): Buffer {
  if (codecId === 0) return bytes
  const codec = CODECS[codecId]
  if (!codec) throw new Error(`compression codec ${codecId} is unknown`)
  const plain = codec(bytes, MAX_DECOMPRESSED_BYTES)
  return Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength)
}
