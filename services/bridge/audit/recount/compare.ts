import type { Difference } from '../report.ts'
import type { Recount } from './count.ts'
import { COUNTS, type Figures } from './figures.ts'

/** What is shown of one partition that was counted again. */
export type Recounted = {
  topic: string
  partition: number
  incarnation: number
  from: number
  to: number
  /** What the store's figures are taken from: `the start`, or a checkpoint. */
  since: string
  accepted: number
  rejected: number
  duplicate: number
  redriven: number
  validNow: number
}

/** Minutes and series of one partition that are told; all may be wrong. */
const MAX_SUMS = 50

/** What the store gained since `base`, against what was counted. */
export function compareCounts(base: Figures, now: Figures, found: Recount): Difference[] {
  return COUNTS.flatMap((name) => {
    const expected = found.counts[name]
    const stored = now.counts[name] - base.counts[name]
    return expected === stored ? [] : [differ(`${placeOf(now)}, ${name}`, expected, stored)]
  })
}

export function compareSums(base: Figures, now: Figures, found: Recount): Difference[] {
  const isComparable = (kind: string, name: string) => !isAddedSince(base, now, `${kind} ${name}`)
  const series = compareMaps(base.series, now.series, found.series, (key) =>
    isComparable('measure', key.slice(0, key.indexOf(' '))),
  )
  const minutes = compareMaps(base.minutes, now.minutes, found.minutes, (key) => {
    const [minuteMs, column = ''] = key.split(' ')
    // A sealed minute is in the baseline, of all partitions together.
    return Number(minuteMs) >= now.sealedMs && isComparable('column', column)
  })
  const place = placeOf(now)
  return [
    ...series.map(([key, counted, stored]) => differ(`${place}, ${key}`, counted, stored)),
    ...minutes.map(([key, counted, stored]) => {
      const [minuteMs, column] = key.split(' ')
      return differ(`${place}, ${column} of ${datetime(Number(minuteMs))}`, counted, stored)
    }),
  ].slice(0, MAX_SUMS)
}

/** Names that were added after events had been counted, and after `base`: what came before is not in their numbers. */
export function addedSince(base: Figures, now: Figures): string[] {
  return [...now.names.keys()].filter((name) => isAddedSince(base, now, name))
}

function isAddedSince(base: Figures, now: Figures, name: string): boolean {
  const before = now.names.get(name) ?? 0n
  return before > 0n && base.names.get(name) !== before
}

type Sums = Map<string, bigint>

function compareMaps(base: Sums, now: Sums, found: Sums, isComparable: (key: string) => boolean) {
  return [...new Set([...now.keys(), ...found.keys()])]
    .filter(isComparable)
    .map((key): [string, bigint, bigint] => {
      return [key, found.get(key) ?? 0n, (now.get(key) ?? 0n) - (base.get(key) ?? 0n)]
    })
    .filter(([, counted, stored]) => counted !== stored)
}

function differ(where: string, expected: number | bigint, found: number | bigint): Difference {
  return {
    check: 'recount',
    where,
    expected: `${expected} counted again`,
    found: `${found} stored`,
  }
}

export function placeOf({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`
}

function datetime(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace('T', ' ')
}
