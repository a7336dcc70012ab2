import type { StreamDefinition } from '../streams/index.ts'
import { type Observed, problemsOf, SILENCE_MS } from './problems.ts'
import type { Progress } from './progress.ts'

/** `note`: what a person should know although counting goes on. */
export type Readiness = { ready: true; note?: string } | { ready: false; why: string }

/** Whether counting goes on; if not, why. */
export function readiness(observed: Observed, nowMs: number): Readiness {
  const problem = problemsOf(observed).find(
    ({ sinceMs, toleratedMs }) => nowMs - sinceMs >= toleratedMs,
  )
  if (problem) return { ready: false, why: problem.why }
  const missing = [...observed.progress.keys()].filter((name) => !observed.reading.includes(name))
  if (missing.length === 0) return { ready: true }
  return { ready: true, note: `these topics do not exist yet: ${missing.join(', ')}` }
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
