import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { StartError } from '../../runtime/start-error.ts'

/** Numbers `from` to `to` of a source, proven lost and not come since. */
export type OpenGap = {
  topic: string
  partition: number
  source: string
  from: number
  to: number
}

/**
 * Reads the open gaps of each topic's present incarnation from the store in `folder`, beside a running bridge or
 * without one.
 *
 * @throws StartError when there is no store.
 */
export function readOpenGaps(folder: string): OpenGap[] {
  const file = join(folder, 'bridge.db')
  if (!existsSync(file)) {
    throw new StartError(
      `there is no store ${file}; set METERBRIDGE_DATA_DIR to the bridge's data folder`,
    )
  }
  const client = new Database(file, { readonly: true })
  try {
    const newest = `select max(incarnation) from partitions where topic = sources.topic and "partition" = sources."partition"`
    return client
      .prepare<[], OpenGap>(
        `select topic, "partition", source, gap.value ->> 'from' as "from", gap.value ->> 'to' as "to"
         from sources, json_each(gaps) as gap where incarnation = (${newest})
         order by topic, "partition", source, "from"`,
      )
      .all()
  } finally {
    client.close()
  }
}
