import type { StreamDefinition } from '../streams/index.ts'
import type { Intake } from './intake.ts'
import type { Progress } from './progress.ts'

/** Behind and not moving for this long, or without an answer from Kafka: something is wrong. */
const STALL_MS = 60_000
const SILENCE_MS = 30_000

/** Whether counting goes on; if not, why. */
export function readiness(
  intake: Intake | undefined,
  progress: Map<string, Progress>,
  nowMs: number,
): { ready: true } | { ready: false; why: string } {
  if (!intake || intake.positions().length === 0) {
    return { ready: false, why: 'waiting for Kafka to assign partitions' }
  }
  if ([...progress.values()].every(({ readAtMs }) => readAtMs < 0)) {
    return { ready: false, why: 'Kafka has told of no topic yet where it ends' }
  }
  for (const [topic, { readAtMs }] of progress) {
    if (readAtMs >= 0 && nowMs - readAtMs > SILENCE_MS) {
      return {
        ready: false,
        why: `Kafka has not answered for ${topic} for ${SILENCE_MS / 1_000} s`,
      }
    }
  }
  for (const [topic, of] of progress) {
    const [partition] = of.stalled(nowMs, STALL_MS)
    if (partition === undefined) continue
    return {
      ready: false,
      why: `${topic}/${partition} is behind and has not moved for ${STALL_MS / 1_000} s`,
    }
  }
  return { ready: true }
}

/** A stream's progress as plain values. Nobody is caught up with a Kafka that does not answer. */
export function statusOf({ name, topic }: StreamDefinition, progress: Progress, nowMs: number) {
  return {
    stream: name,
    topic,
    caughtUp: progress.caughtUp() && nowMs - progress.readAtMs <= SILENCE_MS,
    watermarkMs: progress.watermarkMs(),
    readAtMs: progress.readAtMs,
    lags: progress.lags(),
  }
}
