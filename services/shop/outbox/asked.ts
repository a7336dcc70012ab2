/** The numbers `from` to `to`, both included, that `source` gave to events of a partition. */
export type NumberRange = {
  topic: string
  partition: number
  source: string
  from: number
  to: number
}

export type NumberedEvent = {
  id: number
  topic: string
  partition: number
  source: string
  sequence: number
}

/** The numbers that somebody asks for, and which of them were found. */
export class Asked {
  readonly #ranges: NumberRange[]
  readonly #byPlace: Map<string, NumberRange[]>
  readonly #found = new Map<NumberRange, number[]>()

  constructor(ranges: NumberRange[]) {
    this.#ranges = ranges
    this.#byPlace = Map.groupBy(ranges, placeOf)
  }

  /** The ids of those events that are asked for. */
  pick(events: Iterable<NumberedEvent>): number[] {
    const ids: number[] = []
    for (const event of events) {
      const ranges = this.#byPlace.get(placeOf(event)) ?? []
      const hit = ranges.filter(({ from, to }) => from <= event.sequence && event.sequence <= to)
      if (hit.length > 0) ids.push(event.id)
      for (const range of hit) {
        const found = this.#found.get(range)
        if (found) found.push(event.sequence)
        else this.#found.set(range, [event.sequence])
      }
    }
    return ids
  }

  /** What was asked for and not found. */
  missing(): NumberRange[] {
    return this.#ranges.flatMap((range) => {
      const gaps: NumberRange[] = []
      let next = range.from
      for (const number of (this.#found.get(range) ?? []).toSorted((a, b) => a - b)) {
        if (number > next) gaps.push({ ...range, from: next, to: number - 1 })
        next = number + 1
      }
      if (next <= range.to) gaps.push({ ...range, from: next })
      return gaps
    })
  }
}

function placeOf({ topic, partition, source }: Omit<NumberRange, 'from' | 'to'>): string {
  return `${topic}/${partition}/${source}`
}
