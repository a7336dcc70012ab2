import type { Measure, StreamDefinition } from '../streams/index.ts'
import type { ColumnDelta, Counted, SeriesDelta } from './delta.ts'

export const MINUTE_MS = 60_000

/** A double adds whole numbers exactly up to 2^53; what passes this is moved to a bigint. */
const SPILL = 2 ** 52

type Slot = { measure: string; labels: string; values: Record<string, string> }

/** A stream's measures as a flat row of sums: one slot per measure and label combination. */
export type Layout = {
  slots: Slot[]
  /** Adds one event to `sums`, the row starting at `base`. */
  add(sums: Sums, base: number, event: unknown): void
  columns: { name: string; slots: number[] }[]
}

/** Labels as they are stored and compared: JSON with the keys in the definition's order. */
export function labelsKey(labels: Record<string, string>): string {
  return JSON.stringify(labels)
}

/** Every label combination of a measure, in mixed-radix order of its labels. */
export function combinations(stream: StreamDefinition, names: readonly string[]) {
  let rows: Record<string, string>[] = [{}]
  for (const name of names) {
    const { values } = stream.labels[name]!
    rows = rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value })))
  }
  return rows
}

export function createLayout(stream: StreamDefinition): Layout {
  const slots: Slot[] = []
  const adders: ((sums: Sums, base: number, event: unknown) => void)[] = []
  // Measures with the same labels share the work of finding an event's combination.
  const groups = Map.groupBy(stream.measures, (measure) => measure.labels.join())
  for (const measures of groups.values()) {
    const labels = measures[0]!.labels
    const rows = combinations(stream, labels)
    const firsts = measures.map((measure, i) => ({
      measure,
      first: slots.length + i * rows.length,
    }))
    for (const { name } of measures) {
      slots.push(...rows.map((values) => ({ measure: name, labels: labelsKey(values), values })))
    }
    adders.push(createAdder(firsts, createIndex(stream, labels)))
  }
  const columns = stream.columns.map(({ name, measure, where = {} }) => ({
    name,
    slots: slots.flatMap((slot, i) => {
      const matches = Object.entries(where).every(([label, value]) => slot.values[label] === value)
      return slot.measure === measure && matches ? [i] : []
    }),
  }))
  const add: Layout['add'] = (sums, base, event) => {
    for (const adder of adders) adder(sums, base, event)
  }
  return { slots, add: adders.length === 1 ? adders[0]! : add, columns }
}

function createAdder(
  measures: { measure: Measure<unknown, string>; first: number }[],
  index: (event: unknown) => number,
) {
  return (sums: Sums, base: number, event: unknown) => {
    const at = base + index(event)
    for (let i = 0; i < measures.length; i++) {
      const { measure, first } = measures[i]!
      sums.add(at + first, measure.value(event))
    }
  }
}

/** The place of an event's label combination among `combinations(stream, names)`. */
function createIndex(stream: StreamDefinition, names: readonly string[]) {
  const labels = names.map((name) => {
    const { values, of } = stream.labels[name]!
    return { name, of, size: values.length, places: new Map(values.map((value, i) => [value, i])) }
  })
  return (event: unknown) => {
    let index = 0
    for (let i = 0; i < labels.length; i++) {
      const { name, of, size, places } = labels[i]!
      const place = places.get(of(event))
      if (place === undefined) {
        throw new Error(`stream ${stream.name}: ${of(event)} is not among the values of ${name}`)
      }
      index = index * size + place
    }
    return index
  }
}

/** Exact sums per minute: rows of `layout.slots.length` sums, and how many events each minute has. */
export class Sums {
  readonly #width: number
  #low: Float64Array
  readonly #high = new Map<number, bigint>()
  readonly #rows = new Map<number, number>()
  readonly events: number[] = []
  #lastMinute = -1
  #lastBase = 0

  constructor(layout: Layout) {
    this.#width = layout.slots.length
    this.#low = new Float64Array(this.#width)
  }

  /** Where the row of the minute that holds `timeMs` starts. */
  baseOf(timeMs: number): number {
    if (
      timeMs >= this.#lastMinute &&
      timeMs < this.#lastMinute + MINUTE_MS &&
      this.#lastMinute >= 0
    )
      return this.#lastBase
    const minute = timeMs - (timeMs % MINUTE_MS)
    let row = this.#rows.get(minute)
    if (row === undefined) {
      row = this.#rows.size
      this.#rows.set(minute, row)
      this.events.push(0)
      if ((row + 1) * this.#width > this.#low.length) {
        const grown = new Float64Array(this.#low.length * 2)
        grown.set(this.#low)
        this.#low = grown
      }
    }
    this.#lastMinute = minute
    this.#lastBase = row * this.#width
    return this.#lastBase
  }

  /** Adds a whole number from 0 to 10^12. */
  add(index: number, value: number) {
    const sum = this.#low[index]! + value
    if (sum < SPILL) {
      this.#low[index] = sum
      return
    }
    this.#high.set(index, (this.#high.get(index) ?? 0n) + BigInt(sum))
    this.#low[index] = 0
  }

  /** Counts one event of the row that `baseOf` returned last. */
  countEvent() {
    const row = this.#lastBase / this.#width
    this.events[row] = this.events[row]! + 1
  }

  /** The minutes that have events, each with its row number. */
  minutes(): [minuteMs: number, row: number][] {
    return [...this.#rows]
  }

  /** The sum of a slot over some rows. Most slots are 0, and cost no bigint. */
  #sum(rows: readonly number[], slot: number): bigint {
    let sum = 0n
    for (const row of rows) {
      const index = row * this.#width + slot
      const low = this.#low[index]!
      if (low !== 0) sum += BigInt(low)
      if (this.#high.size > 0) sum += this.#high.get(index) ?? 0n
    }
    return sum
  }

  /** The sums over all minutes, without zeros. */
  series(layout: Layout): SeriesDelta[] {
    const rows = [...this.#rows.values()]
    return layout.slots.flatMap(({ measure, labels }, slot) => {
      const value = this.#sum(rows, slot)
      return value === 0n ? [] : [{ measure, labels, value }]
    })
  }

  /** The columns of one minute, without zeros. */
  columns(layout: Layout, row: number): ColumnDelta[] {
    return layout.columns.flatMap(({ name, slots }) => {
      const value = slots.reduce((sum, slot) => sum + this.#sum([row], slot), 0n)
      return value === 0n ? [] : [{ column: name, value }]
    })
  }
}

/** All that `sums` holds, as plain data. `nowMs` is the clock's: minutes beyond it are to come. */
export function countedOf(sums: Sums, layout: Layout, nowMs: number): Counted {
  const minutes = sums.minutes().map(([minuteMs, row]) => ({
    minuteMs,
    events: sums.events[row]!,
    columns: sums.columns(layout, row),
  }))
  const future = minutes.reduce(
    (sum, { minuteMs, events }) => (minuteMs > nowMs ? sum + events : sum),
    0,
  )
  return { series: sums.series(layout), minutes, future }
}
