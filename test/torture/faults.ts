import { setTimeout as delay } from 'node:timers/promises'
import { fillDisk, freeDisk } from './disk.ts'
import type { Name } from './pair.ts'
import type { Fault, Round } from './plan.ts'
import type { World } from './world.ts'

/** Kafka 4 takes no record stamped more than 1 h ahead. */
const AHEAD_MS = 2 * 3_600_000
const BACK_MS = -20 * 60_000

/** Applies the faults of a round, side by side; resolves when the last has ended. */
export async function apply(round: Round, world: World) {
  await Promise.all(
    round.map(async (fault) => {
      await delay(fault.afterMs)
      await applyOne(fault, world)
    }),
  )
}

async function applyOne({ name, forMs }: Fault, world: World) {
  const space = name.lastIndexOf(' ')
  const [kind, target] = [name.slice(0, space), name.slice(space + 1)]
  if (target === 'broker') return disturbBroker(kind, forMs, world)
  const { process, proxy, dataDir, clock } = world[target as Name]
  switch (kind) {
    case 'kill':
      return process.kill9(forMs)
    case 'cut':
      return proxy.cut(forMs)
    case 'stall':
      return proxy.stall(forMs)
    case 'stop':
      return between(
        () => process.signal('SIGSTOP'),
        () => process.signal('SIGCONT'),
        forMs,
      )
    case 'full disk':
      return between(
        () => fillDisk(dataDir, `${target}/${target}.db`),
        () => freeDisk(dataDir),
        forMs,
      )
    default:
      return between(
        () => clock.step(kind === 'clock ahead' ? AHEAD_MS : BACK_MS),
        () => clock.step(0),
        forMs,
      )
  }
}

async function disturbBroker(kind: string, forMs: number, { kafka }: World) {
  if (kind === 'kill') {
    await kafka.kill9()
    await delay(forMs)
    return kafka.restart()
  }
  return between(
    () => void process.kill(kafka.pid, 'SIGSTOP'),
    () => void process.kill(kafka.pid, 'SIGCONT'),
    forMs,
  )
}

async function between(begin: () => void, end: () => void, forMs: number) {
  begin()
  try {
    await delay(forMs)
  } finally {
    end()
  }
}
