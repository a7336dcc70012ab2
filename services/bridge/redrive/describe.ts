import type { StoredLetter } from '../store/index.ts'

/** Bytes as text where they are UTF-8, else as hex. */
export type Bytes = { text: string } | { hex: string } | null

/** A dead letter in plain words: times in ISO 8601, bytes so that a person can read them. */
export function describeLetter({ key, value, timestampMs, redrivenMs, ...letter }: StoredLetter) {
  return {
    ...letter,
    /** Whether more bytes were in the record than are kept. */
    isCut: letter.valueBytes > (value?.length ?? 0),
    timestamp: timestampMs < 0 ? null : isoTime(timestampMs),
    key: describeBytes(key),
    value: describeBytes(value),
    redriven: redrivenMs === null ? null : isoTime(redrivenMs),
  }
}

export type DescribedLetter = ReturnType<typeof describeLetter>

/** Of what was kept of a key or value, which may end within a character. */
export function describeBytes(bytes: Buffer | null): Bytes {
  if (!bytes) return null
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    return { text: decoder.decode(bytes, { stream: true }) }
  } catch {
    return { hex: bytes.toString('hex') }
  }
}

function isoTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}
