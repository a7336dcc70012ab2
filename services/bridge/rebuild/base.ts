import { join } from 'node:path'
import { StartError } from '../../runtime/start-error.ts'
import type { TopicBounds } from '../source/index.ts'
import type { Summary } from '../store/index.ts'
import type { StreamDefinition } from '../streams/index.ts'
import { type Checkpoint, isIntact, readChain } from './chain.ts'
import { type Loss, type Part, planOf } from './plan.ts'

/** Where to begin: at the newest checkpoint that will do, at one of that day (`YYYY-MM-DD`), or at the log's start. */
export type From = 'newest' | 'start' | (string & {})

export type Base = {
  kind: 'start' | 'checkpoint' | 'finished'
  /** Of the checkpoint, within the store's folder. */
  file: string
  /** What is known of the store: from the old one, else from the newest line of the chain. */
  known: Summary | undefined
  parts: Part[]
  losses: Loss[]
}

type Options = {
  folder: string
  streams: readonly StreamDefinition[]
  logs: ReadonlyMap<string, TopicBounds>
  from: From
  acceptLoss: boolean
}

export const CHECKPOINTS = 'checkpoints'

/**
 * Finds where everything can be counted from. Where that is nowhere and loss is accepted: where least is lost.
 *
 * @param old what is known of the store in place; undefined where it is not legible.
 * @param finished what an earlier rebuild has counted, to go on from.
 * @throws StartError when something would be lost that was not accepted, naming it.
 */
export async function chooseBase(
  options: Options,
  old: Summary | undefined,
  finished: Summary | undefined,
): Promise<Base> {
  const { folder, from, streams, logs } = options
  const place = join(folder, CHECKPOINTS)
  const { checkpoints } = readChain(place)
  const known = old ?? checkpoints.at(-1)
  const plan = (kind: Base['kind'], counted: Summary | undefined, file = ''): Base => ({
    ...planOf({
      counted: counted?.partitions ?? [],
      known: known?.partitions ?? [],
      toKnown: old !== undefined,
      logs,
      streams,
    }),
    ...{ kind, file, known },
  })
  const found: Base[] = []
  const take = (base: Base) => {
    found.push(base)
    return base.losses.length === 0
  }
  if (finished && take(plan('finished', finished))) return found[0]!
  for (const one of wanted(checkpoints, from)) {
    if (!(await isIntact(place, one))) continue
    if (take(plan('checkpoint', one, join(CHECKPOINTS, one.file)))) return found.at(-1)!
  }
  if (from === 'newest' || from === 'start') {
    if (take(plan('start', undefined))) return found.at(-1)!
  }
  const least = found.sort((a, b) => lostOf(a) - lostOf(b))[0]
  if (!least) {
    throw new StartError(`there is no intact checkpoint of ${from} in ${place}; leave out --from`)
  }
  if (!options.acceptLoss) throw refused(least.losses)
  return least
}

/** Newest first. */
function wanted(checkpoints: Checkpoint[], from: From): Checkpoint[] {
  if (from === 'start') return []
  return checkpoints.filter(({ day }) => from === 'newest' || day === from).reverse()
}

function lostOf({ losses }: Base): number {
  return losses.reduce((sum, { from, to }) => sum + to - from, 0)
}

function refused(losses: Loss[]): StartError {
  const gone = losses.map(({ topic, partition, incarnation, from, to }) => {
    const which = incarnation > 1 ? `, incarnation ${incarnation}` : ''
    return `  ${topic}/${partition}${which}: offsets ${from} to ${to - 1}`
  })
  return new StartError(
    [
      'Kafka no longer has all that must be counted anew, and no checkpoint reaches far enough:',
      ...gone,
      'With --accept-loss these are left out: what they added to counters and minutes is gone, and where the topic is still the same the gap counts as skipped.',
    ].join('\n'),
  )
}
