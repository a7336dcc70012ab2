const MAX_HELD_LINES = 10_000
/** pino's level `fatal`: says why a service ends, so it is never held back. */
const FATAL = '"level":60,'

/** Log lines of the services: held back until a person was told where to look, then passed on as they come. */
export type Output = {
  line(text: string): void
  release(): void
}

export function holdOutput(write: (text: string) => void): Output {
  let held: string[] | undefined = []
  return {
    line(text) {
      if (!held || text.includes(FATAL)) write(`${text}\n`)
      else if (held.length < MAX_HELD_LINES) held.push(text)
    },
    release() {
      for (const text of held ?? []) write(`${text}\n`)
      held = undefined
    },
  }
}
