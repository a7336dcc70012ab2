import { type Type, type } from 'arktype'

/** The largest value one event may add to a sum, unless a schema says less (design, promise 7). */
export const VALUE_BOUND = 1_000_000_000_000

/** A label: all values it can take, and which one an event has. The values are few and fixed, so series are bounded. */
export type Label<Event> = {
  values: readonly string[]
  /** Must return one of `values`. */
  of(event: Event): string
  /** Raised when `of` comes to mean something else; 1 unless set. */
  version?: number
}

/** A counter: a sum of whole numbers in `unit`, per combination of `labels`. */
export type Measure<Event, LabelName extends string> = {
  /** The Prometheus name, ending in `_total`. */
  name: string
  help: string
  /** `records`: every event adds 1. */
  unit: 'records' | 'pieces' | 'minor units' | 'microseconds'
  labels: readonly LabelName[]
  /** What one event adds: a whole number from 0 to `VALUE_BOUND`. */
  value(event: Event): number
  /** Raised when `value` comes to mean something else; 1 unless set. */
  version?: number
}

/** A minute column: all of a measure, or the part of it whose labels match `where`. */
export type Column<LabelName extends string> = {
  name: string
  measure: string
  where?: Partial<Record<LabelName, string>>
}

export type StreamDefinition<Event = unknown, LabelName extends string = string> = {
  /** Short name: of the files, and of the `stream` label. */
  name: string
  topic: string
  schema: Type<Event>
  labels: Record<LabelName, Label<Event>>
  measures: readonly Measure<Event, LabelName>[]
  /** In file order. */
  columns: readonly Column<LabelName>[]
  /** The label combinations shown as 0 before the first event; all combinations when absent. */
  known?: readonly Record<LabelName, string>[]
}

/** The one way to write a stream: checks what types cannot, so that a wrong definition fails at start. */
export function defineStream<const S extends Type, LabelName extends string>(
  definition: StreamDefinition<S['infer'], LabelName> & { schema: S },
): StreamDefinition {
  const measures = new Set(definition.measures.map((measure) => measure.name))
  if (measures.size !== definition.measures.length) {
    throw new Error(`stream ${definition.name}: two measures share a name`)
  }
  for (const column of definition.columns) {
    if (measures.has(column.measure)) continue
    throw new Error(
      `stream ${definition.name}: column ${column.name} is of ${column.measure}, which is no measure`,
    )
  }
  return definition as unknown as StreamDefinition
}

export { type }
