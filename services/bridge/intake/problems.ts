import type { Intake } from './intake.ts'
import type { Outage } from './outage.ts'
import type { Progress } from './progress.ts'

/** Behind and not moving for this long, or without an answer from Kafka: something is wrong. */
const STALL_MS = 60_000
export const SILENCE_MS = 30_000

/** Something that keeps records from being counted. */
export type Problem = {
  /** For a person: what, since when, and as far as is known why. */
  why: string
  sinceMs: number
  /** Before it has lasted this long it is part of a normal day. */
  toleratedMs: number
  /** Whether connecting to Kafka anew may mend it. */
  connection: boolean
}

export type Observed = {
  intake: Pick<Intake, 'unwritable' | 'unassignedSinceMs'>
  /** Of each wanted topic, by its name. */
  progress: Map<string, Progress>
  /** The wanted topics that exist. */
  reading: string[]
  kafka: Pick<Outage, 'current'>
  startedMs: number
}

/** All that keeps records from being counted now, the most telling first. */
export function problemsOf(observed: Observed): Problem[] {
  const { intake, progress, reading } = observed
  if (intake.unwritable) {
    const { sinceMs, reason } = intake.unwritable
    const why = `the store cannot be written: ${reason}, since ${time(sinceMs)}`
    return [{ why, sinceMs, toleratedMs: 0, connection: false }]
  }
  if (reading.length === 0) {
    const why = `none of the topics ${[...progress.keys()].join(', ')} exists`
    return [{ why, sinceMs: observed.startedMs, toleratedMs: 0, connection: false }]
  }
  return [...silence(observed), ...unassigned(observed), ...stalls(observed)]
}

/** No word from Kafka at all, or none about some of the topics. */
function silence({ progress, reading, kafka, startedMs }: Observed): Problem[] {
  const answers = reading.map((topic) => ({ topic, readAtMs: progress.get(topic)!.readAtMs }))
  const lastMs = Math.max(...answers.map(({ readAtMs }) => readAtMs))
  const because = kafka.current ? ` (${kafka.current.reason})` : ''
  const never = lastMs < 0
  const sinceMs = never ? startedMs : lastMs
  const toleratedMs = never ? 0 : SILENCE_MS
  const all = {
    why: `Kafka has not told where the topics end since ${time(sinceMs)}${because}`,
    ...{ sinceMs, toleratedMs, connection: true },
  }
  const some = answers
    .filter(({ readAtMs }) => readAtMs < lastMs)
    .map(({ topic, readAtMs }) => ({
      why: `Kafka has not told where ${topic} ends since ${time(Math.max(readAtMs, startedMs))}`,
      ...{ sinceMs: Math.max(readAtMs, startedMs), toleratedMs: SILENCE_MS, connection: false },
    }))
  return [all, ...some]
}

function unassigned({ intake: { unassignedSinceMs }, kafka }: Observed): Problem[] {
  if (unassignedSinceMs === undefined) return []
  const because = kafka.current ? ` (Kafka does not answer: ${kafka.current.reason})` : ''
  const why = `Kafka has assigned no partitions since ${time(unassignedSinceMs)}${because}`
  return [{ why, sinceMs: unassignedSinceMs, toleratedMs: 0, connection: true }]
}

/** Where a topic's ends cannot be read, it is not known whether there is anything to move on to. */
function stalls({ progress, reading }: Observed): Problem[] {
  const lastMs = Math.max(...reading.map((topic) => progress.get(topic)!.readAtMs))
  const known = reading.filter((topic) => progress.get(topic)!.readAtMs > lastMs - SILENCE_MS)
  return known.flatMap((topic) => {
    const behind = progress.get(topic)!.behind()
    return behind.map(({ partition, sinceMs }) => ({
      why: `${topic}/${partition} is behind and has not moved since ${time(sinceMs)}`,
      ...{ sinceMs, toleratedMs: STALL_MS, connection: true },
    }))
  })
}

function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
