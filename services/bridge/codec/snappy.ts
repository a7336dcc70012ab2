import snappy from 'snappyjs'

/** Java clients and kafka-python frame Snappy like snappy-java: this magic, 16 bytes of header, then blocks of (uint32 length, raw Snappy). */
const XERIAL_MAGIC = Buffer.from('82534e4150505900', 'hex')
const XERIAL_HEADER_BYTES = 16

/** Raw Snappy (librdkafka) or snappy-java's framing of it, told apart by the magic. @throws Error when damaged or too long. */
export function decompressSnappy(bytes: Buffer, maxBytes: number): Uint8Array {
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return block(bytes, maxBytes)
  const blocks: Uint8Array[] = []
  let total = 0
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length; ) {
    if (at + 4 > bytes.length) throw new Error('a snappy block is cut off')
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > bytes.length) throw new Error('a snappy block is cut off')
    const plain = block(bytes.subarray(at + 4, end), maxBytes - total)
    total += plain.length
    blocks.push(plain)
    at = end
  }
  return Buffer.concat(blocks)
}

function block(bytes: Buffer, maxBytes: number): Uint8Array {
  refuseBackwardLiterals(bytes)
  return snappy.uncompress(bytes, maxBytes)
}

/**
 * snappyjs 0.7.0 takes a literal's 4-byte length as signed: one above 2^31 makes it step backwards for ever.
 * So the tags are walked first (https://github.com/google/snappy/blob/main/format_description.txt).
 */
function refuseBackwardLiterals(bytes: Buffer) {
  let at = 0
  while (at < bytes.length && (bytes[at] ?? 0) >= 0x80) at++
  at++
  while (at < bytes.length) {
    const tag = bytes[at++] ?? 0
    const kind = tag & 3
    if (kind === 1) at += 1
    else if (kind === 2) at += 2
    else if (kind === 3) at += 4
    else {
      const short = tag >>> 2
      const lengthBytes = short < 60 ? 0 : short - 59
      if (at + lengthBytes > bytes.length) throw new Error('a snappy literal is cut off')
      at += lengthBytes + 1 + (lengthBytes === 0 ? short : bytes.readUIntLE(at, lengthBytes))
    }
  }
  if (at > bytes.length) throw new Error('a snappy block is cut off')
}
