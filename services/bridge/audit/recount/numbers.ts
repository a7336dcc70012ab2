/** As `meterbridge`'s documentation has them, written down a second time. */
const MAX_JUMP = 1_000_000
const MAX_GAPS = 100
const MAX_SOURCES = 1_000

export type Source = { last: number; gaps: [from: number, to: number][]; seen: number }

/** The numbers of a partition's sources: which were there, which are missing. */
export class Numbers {
  lost = 0
  recovered = 0
  readonly #sources: Map<string, Source>

  constructor(sources: Map<string, Source>) {
    this.#sources = sources
  }

  judge(source: string, number: number, previous: string | undefined, offset: number) {
    if (!Number.isSafeInteger(number) || number < 1) return 'invalid'
    const known = this.#sources.get(source)
    if (!known) {
      const met: Source = { last: number, gaps: [], seen: offset }
      if (previous !== undefined && this.#seam(previous) && number > 1 && number <= MAX_JUMP) {
        met.last = 0
        this.#advance(met, number - 1, number)
      }
      this.#sources.set(source, met)
      if (this.#sources.size > MAX_SOURCES) this.#forgetOne()
      return 'new'
    }
    if (number > known.last + MAX_JUMP) return 'invalid'
    if (number > known.last) this.#advance(known, number - 1, number)
    else if (!this.#takeBack(known, number)) return 'duplicate'
    known.seen = offset
    return 'new'
  }

  /** Numbers up to `through` never came. */
  #advance(source: Source, through: number, last: number) {
    if (through > source.last) {
      this.lost += through - source.last
      source.gaps = [...source.gaps, [source.last + 1, through] as [number, number]].slice(
        -MAX_GAPS,
      )
    }
    source.last = last
  }

  #takeBack(source: Source, number: number): boolean {
    const at = source.gaps.findIndex(([from, to]) => from <= number && number <= to)
    if (at < 0) return false
    const [from, to] = source.gaps[at]!
    const left: [number, number][] = [
      [from, number - 1],
      [number + 1, to],
    ]
    source.gaps.splice(at, 1, ...left.filter(([first, last]) => first <= last))
    this.recovered += 1
    return true
  }

  /** `<source>:<number>`: the source before had come that far. Whether it is known. */
  #seam(previous: string): boolean {
    const colon = previous.lastIndexOf(':')
    const known = this.#sources.get(previous.slice(0, colon))
    const last = Number(previous.slice(colon + 1))
    if (!known || !Number.isSafeInteger(last)) return false
    if (last > known.last && last <= known.last + MAX_JUMP) this.#advance(known, last, last)
    return true
  }

  #forgetOne() {
    const [oldest] = [...this.#sources].sort(([, a], [, b]) => a.seen - b.seen)
    if (oldest) this.#sources.delete(oldest[0])
  }
}
