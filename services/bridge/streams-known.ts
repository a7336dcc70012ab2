import { StartError } from '../runtime/start-error.ts'
import { MINUTE_MS } from './fold/index.ts'
import { retainedFromMs } from './rollup/index.ts'
import type { DefinitionConflict, Store } from './store/index.ts'
import { declarationsOf, type StreamDefinition } from './streams/index.ts'

/**
 * Makes the streams, and what their names mean, known to the store.
 *
 * @throws StartError when a name was counted with another meaning: two kinds of number would stand under it.
 */
export async function makeKnown(
  store: Store,
  streams: readonly StreamDefinition[],
  nowMs: number,
): Promise<void> {
  const conflicts: string[] = []
  for (const stream of streams) {
    await store.addStream(stream.name, nowMs - (nowMs % MINUTE_MS), retainedFromMs(nowMs))
    const found = await store.define(stream.name, declarationsOf(stream))
    conflicts.push(...found.map((conflict) => sentence(stream.name, conflict)))
  }
  if (conflicts.length > 0) throw new StartError(conflicts.join('\n'))
}

const MEND =
  'give it another name, put the definition back, or count the log anew with `npm run meterbridge -- rebuild --from start`'

function sentence(stream: string, conflict: DefinitionConflict): string {
  const { kind, name, counted, declared, removed } = conflict
  const what = kind === 'stream' ? `stream ${name}` : `${kind} ${name} of stream ${stream}`
  if (removed) {
    return `${what} was taken out of the definition and is back: what came in between is not in its numbers; ${MEND}`
  }
  return `${what} was counted as ${counted} and is now defined as ${declared}: two kinds of number would stand under one name; ${MEND}`
}
