/** What can be disturbed: a process, its way to Kafka, its disk, its clock. */
export const FAULTS = [
  'kill shop',
  'kill bridge',
  'kill broker',
  'stop shop',
  'stop bridge',
  'stop broker',
  'cut shop',
  'cut bridge',
  'stall shop',
  'stall bridge',
  'full disk shop',
  'full disk bridge',
  'clock ahead shop',
  'clock ahead bridge',
  'clock back shop',
  'clock back bridge',
] as const
export type FaultName = (typeof FAULTS)[number]

/** A fault, how long after the round's beginning it comes and how long it lasts. */
export type Fault = { name: FaultName; afterMs: number; forMs: number }
export type Round = Fault[]

const LATEST_MS = 1_000
/** Beyond the group's session of 6 s. */
const LONGEST_MS = 8_000
const LONGEST_DOWN_MS = 3_000
const SHORTEST_MS = 500
/** One fault in half of the rounds, for figures of its own; else it has company. */
const FAULTS_PER_ROUND = [1, 1, 1, 2, 2, 3]

/**
 * The rounds of a seed. Faults are dealt like cards: each comes once before any comes again, so that few rounds
 * see many kinds. What a round has together never works on the same part (no kill of a stopped process).
 */
export function* planRounds(seed: number, possible: readonly FaultName[]): Generator<Round> {
  const random = randomOf(seed)
  const below = (limit: number) => Math.floor(random() * limit)
  const between = (from: number, to: number) => from + below(to - from)
  const parts = new Set(possible.map(partOf)).size
  let cards: FaultName[] = []
  for (;;) {
    const wanted = FAULTS_PER_ROUND[below(FAULTS_PER_ROUND.length)]!
    const round = new Map<string, Fault>()
    while (round.size < Math.min(wanted, parts)) {
      if (cards.length === 0) cards = [...possible]
      const [name] = cards.splice(below(cards.length), 1) as [FaultName]
      if (round.has(partOf(name))) continue
      const longestMs = name.startsWith('kill') ? LONGEST_DOWN_MS : LONGEST_MS
      const atOnce = name.startsWith('kill') && random() < 0.5
      const forMs = atOnce ? 0 : between(SHORTEST_MS, longestMs)
      round.set(partOf(name), { name, afterMs: below(LATEST_MS), forMs })
    }
    yield [...round.values()]
  }
}

/** `stop shop` and `kill shop` work on the same process, `cut bridge` and `stall bridge` on the same way. */
function partOf(name: FaultName): string {
  const target = name.slice(name.lastIndexOf(' ') + 1)
  if (/^(kill|stop)/.test(name)) return `process ${target}`
  if (/^(cut|stall)/.test(name)) return `way ${target}`
  return name.startsWith('clock') ? `clock ${target}` : `disk ${target}`
}

/** Mulberry32: 0 up to, not including, 1; the same row of numbers for the same seed. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
