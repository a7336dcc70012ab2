import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { createLetters } from './letters.ts'
import { openReadOnly } from './read-only.ts'

/** The dead letters of a store, to read beside the bridge that writes it, or while it is stopped. */
export type Letters = Pick<
  ReturnType<typeof createLetters>,
  'read' | 'list' | 'waiting' | 'totals' | 'evicted'
> &
  Disposable

/** @throws StartError when there is no store in `folder`, it is damaged, or its schema is another program's. */
export function openLetters(folder: string): Letters {
  const client = openReadOnly(join(folder, 'bridge.db'))
  const { read, list, waiting, totals, evicted } = createLetters(drizzle({ client }))
  return {
    ...{ read, list, waiting, totals, evicted },
    [Symbol.dispose]: () => void client.close(),
  }
}
