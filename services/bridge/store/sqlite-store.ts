import type { Delta, Redrive } from '../fold/index.ts'
import { copyDatabase } from './copy.ts'
import { createCounts } from './counts.ts'
import { type OpenDatabase, openDatabase, STORE_FILE } from './database.ts'
import { createDays } from './days.ts'
import { createDefinitions } from './definitions.ts'
import { createLetters } from './letters.ts'
import { createPartitions } from './partitions.ts'
import type { CommitResult, RedriveResult, Store } from './port.ts'
import { createSnapshots } from './snapshot.ts'

/** The store in `<folder>/<name>`: one process, one connection, every call one synchronous transaction. */
export function openSqliteStore(folder: string, name = STORE_FILE): Store {
  return createSqliteStore(openDatabase(folder, name))
}

export function createSqliteStore({ database, storeId }: OpenDatabase): Store {
  const partitions = createPartitions(database)
  const counts = createCounts(database)
  const letters = createLetters(database)
  const days = createDays(database)
  const definitions = createDefinitions(database, days.reviseAll)
  const readSnapshot = createSnapshots(database)

  /** One transaction; IMMEDIATE, so that the compare-and-set reads what it is about to change. */
  const transaction = <T>(work: () => T): T =>
    database.transaction(() => work(), { behavior: 'immediate' })

  const commit = (delta: Delta): CommitResult =>
    transaction(() => {
      if (!partitions.move(delta)) return 'stale'
      counts.add(delta)
      return 'committed'
    })

  const redrive = (id: number, redriven: Redrive, nowMs: number): RedriveResult =>
    transaction(() => {
      const letter = letters.read(id)
      if (letter === undefined || letter === 'evicted') return 'gone'
      if (letter.redrivenMs !== null) return 'already'
      if (!partitions.redrive(redriven)) return 'stale'
      letters.markRedriven(id, nowMs)
      counts.addCounted(redriven)
      return 'redriven'
    })

  return {
    id: storeId,
    partition: async (topic, partition) => partitions.read(topic, partition),
    begin: async (starts) => transaction(() => starts.map(partitions.begin)),
    commit: async (delta) => commit(delta),
    letter: async (id) => letters.read(id),
    redrive: async (id, redriven, nowMs) => redrive(id, redriven, nowMs),
    keepLetter: async (id, why) => letters.markKept(id, why),
    snapshot: async () => database.transaction(() => readSnapshot()),
    addStream: async (stream, firstMinuteMs, sealedBeforeMs) =>
      days.addStream(stream, firstMinuteMs, sealedBeforeMs),
    define: async (stream, declared) => transaction(() => definitions.define(stream, declared)),
    close: async (stream, minuteMs) => transaction(() => days.close(stream, minuteMs)),
    pend: async (stream, dayMs) => days.pend(stream, dayMs),
    pendingDays: async (stream) => days.pending(stream),
    day: async (stream, dayMs) => database.transaction(() => days.read(stream, dayMs)),
    written: async (day) => transaction(() => days.written(day)),
    seal: async (stream, beforeMs) => transaction(() => days.seal(stream, beforeMs)),
    copy: (file, signal) => copyDatabase(database.$client.name, file, signal),
    end: async () => void database.$client.close(),
  }
}
