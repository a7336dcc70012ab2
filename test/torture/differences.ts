const SHOWN = 5

/** What differs, a sentence each; of many alike, the first few. */
export class Differences {
  readonly lines: string[] = []
  readonly #alike = new Map<string, number>()

  add(kind: string, detail: string) {
    const count = (this.#alike.get(kind) ?? 0) + 1
    this.#alike.set(kind, count)
    if (count <= SHOWN) this.lines.push(`${kind}: ${detail}`)
    if (count === SHOWN + 1) this.lines.push(`${kind}: … and more`)
  }

  /** Each number that is not as it should be. */
  equal(kind: string, actual: Map<string, number>, expected: Map<string, number>) {
    for (const key of new Set([...actual.keys(), ...expected.keys()])) {
      const [is, should] = [actual.get(key) ?? 0, expected.get(key) ?? 0]
      if (is !== should) this.add(kind, `${key}: ${is}, should be ${should}`)
    }
  }
}
