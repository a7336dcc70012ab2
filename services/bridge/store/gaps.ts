import { join } from 'node:path'
import { STORE_FILE } from './database.ts'
import { openReadOnly } from './read-only.ts'

/** Numbers `from` to `to` of a source, both included: proven lost, and not come since. */
export type OpenGap = {
  topic: string
  partition: number
  source: string
  from: number
  to: number
}

type Row = { topic: string; partition: bigint; source: string; from: bigint; to: bigint }

/**
 * The open gaps of each partition's present incarnation in the store of `folder`, whether its bridge runs or not.
 *
 * @throws StartError when there is no store, or it cannot be read.
 */
export function readOpenGaps(folder: string): OpenGap[] {
  const store = openReadOnly(join(folder, STORE_FILE))
  try {
    const newest = `select max(incarnation) from partitions
      where topic = sources.topic and "partition" = sources."partition"`
    return store
      .prepare<[], Row>(
        `select topic, "partition", source, gap.value ->> 'from' as "from", gap.value ->> 'to' as "to"
         from sources, json_each(gaps) as gap where incarnation = (${newest})
         order by topic, "partition", source, "from"`,
      )
      .all()
      .map(({ topic, partition, source, from, to }) => ({
        ...{ topic, partition: Number(partition), source },
        ...{ from: Number(from), to: Number(to) },
      }))
  } finally {
    store.close()
  }
}
