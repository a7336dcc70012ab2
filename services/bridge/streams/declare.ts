import type { StreamDefinition } from './define.ts'

/** What a name of a definition means: everything that decides which number stands under it. */
export type Declaration = {
  kind: 'stream' | 'measure' | 'column'
  name: string
  /** JSON; two are the same meaning when they are the same text. */
  meaning: string
}

/**
 * The names of a stream whose meaning must not change while numbers stand under them. The event schema is not among
 * them: it decides which records are events, and is mended when it was wrong; HELP and what is shown before the
 * first event change no number.
 */
export function declarationsOf(stream: StreamDefinition): Declaration[] {
  const measures = stream.measures.map(({ name, unit, labels, version = 1 }): Declaration => {
    const meant = labels.map((label) => {
      const { values, version = 1 } = stream.labels[label]!
      return { label, values, version }
    })
    return { kind: 'measure', name, meaning: JSON.stringify({ unit, labels: meant, version }) }
  })
  const columns = stream.columns.map(({ name, measure, where = {} }): Declaration => {
    return { kind: 'column', name, meaning: JSON.stringify({ measure, where }) }
  })
  const topic: Declaration = {
    kind: 'stream',
    name: stream.name,
    meaning: JSON.stringify({ topic: stream.topic }),
  }
  return [topic, ...measures, ...columns]
}
