import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

export type KafkaRecord = {
  partition: number
  offset: number
  timestamp: number
  key: string | null
  value: string
  headers: Record<string, string>
}

type KcatMessage = {
  partition: number
  offset: number
  ts: number
  key: string | null
  payload: string
  headers?: string[]
}

/** All records of a topic, by partition and offset, as an ordinary client (kcat) sees them. */
export async function readTopic(brokers: string, topic: string): Promise<KafkaRecord[]> {
  const soon = ['-X', 'fetch.wait.max.ms=10'] // how long it waits for more before it takes the end for the end
  const args = ['-b', brokers, '-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-J', ...soon]
  const { stdout } = await promisify(execFile)('kcat', args, { maxBuffer: 100_000_000 })
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => toRecord(JSON.parse(line)))
    .sort((a, b) => a.partition - b.partition || a.offset - b.offset)
}

function toRecord(message: KcatMessage): KafkaRecord {
  const { partition, offset, ts, key, payload, headers = [] } = message
  const pairs = headers.flatMap((name, at) => (at % 2 === 0 ? [[name, headers[at + 1] ?? '']] : []))
  return {
    partition,
    offset,
    timestamp: ts,
    key: key || null,
    value: payload,
    headers: Object.fromEntries(pairs),
  }
}

/** `<source>#<sequence>` with what it says of its predecessor, such as `b#1<a:3`. */
export function numberOf({ headers }: KafkaRecord): string {
  const previous = headers['mb-prev'] ? `<${headers['mb-prev']}` : ''
  return `${headers['mb-source']}#${headers['mb-seq']}${previous}`
}
