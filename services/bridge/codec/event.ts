import { isUtf8 } from 'node:buffer'
import { type } from 'arktype'
import type { StreamDefinition } from '../streams/index.ts'

/** Why a record could not be an event: the `reason` of a dead letter. */
export type Reason =
  | 'tombstone'
  | 'empty'
  | 'encoding'
  | 'json'
  | 'schema'
  | 'range'
  | 'time'
  | 'sequence'
  | 'undecodable'

export const REASONS: readonly Reason[] = [
  'tombstone',
  'empty',
  'encoding',
  'json',
  'schema',
  'range',
  'time',
  'sequence',
  'undecodable',
]

/** A rejection says what was wrong with which field, and with what value. */
export class Rejection {
  readonly reason: Reason
  readonly detail: string

  constructor(reason: Reason, detail: string) {
    this.reason = reason
    this.detail = detail
  }
}

const TOMBSTONE = new Rejection('tombstone', 'the value is null')
const EMPTY = new Rejection('empty', 'the value has no bytes')
const ENCODING = new Rejection('encoding', 'the value is not UTF-8')
const TOO_DEEP = new Rejection(
  'schema',
  'the value does not fit and is nested too deeply to be quoted',
)
const MAX_DETAIL_CHARACTERS = 300
/** A message quotes the value. That takes the square of its depth: for 10 KB of brackets, most of a second. */
const MAX_QUOTED_LEVELS = 50

/**
 * Makes the decoder of a stream's values: the event, or the `Rejection`. `start` -1 is a null value.
 * It never throws.
 */
export function createDecoder(stream: StreamDefinition) {
  const { schema } = stream
  return (bytes: Buffer, start: number, end: number): unknown => {
    if (start < 0) return TOMBSTONE
    if (start === end) return EMPTY
    const text = bytes.toString('utf8', start, end)
    // Decoding puts U+FFFD for what is not UTF-8; the text may also hold one of its own.
    if (text.includes('\ufffd') && !isUtf8(bytes.subarray(start, end))) return ENCODING
    let value: unknown
    try {
      value = JSON.parse(text)
    } catch (error) {
      return new Rejection('json', clip((error as Error).message))
    }
    if (schema.allows(value)) return value
    return isDeeper(value, MAX_QUOTED_LEVELS) ? TOO_DEEP : explain(schema, value)
  }
}

function explain(schema: StreamDefinition['schema'], value: unknown): Rejection {
  const result = schema(value)
  if (!(result instanceof type.errors)) return new Rejection('schema', 'the value does not fit')
  const outOfRange = result.every((error) => error.code === 'min' || error.code === 'max')
  return new Rejection(outOfRange ? 'range' : 'schema', clip(result.summary.replaceAll('\n', '; ')))
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
}

function clip(text: string): string {
  return text.length > MAX_DETAIL_CHARACTERS ? `${text.slice(0, MAX_DETAIL_CHARACTERS)}…` : text
}
