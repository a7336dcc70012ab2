import { createHash } from 'node:crypto'
import { closeSync, createReadStream, fsyncSync, openSync, statSync } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { parentPort, workerData } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { damageOf } from './check.ts'
import type { Copied, CopyAnswer, CopyTask } from './copy.ts'
import { summarize } from './summary.ts'

/** Between two steps the thread can be ended. */
const PAGES_PER_STEP = 1_000

const answer = await copy(workerData as CopyTask).then(
  (copied): CopyAnswer => ({ copied }),
  (error): CopyAnswer => ({ error: (error as Error).message }),
)
parentPort!.postMessage(answer)

async function copy({ from, to }: CopyTask): Promise<Copied> {
  const source = new Database(from, { readonly: true })
  try {
    // One reading transaction around all steps: they copy one moment, and commits meanwhile do not begin it anew.
    source.exec('begin')
    source.prepare('select count(*) from meta').get()
    await source.backup(to, { progress: () => PAGES_PER_STEP })
  } finally {
    source.close()
  }
  const summary = checked(to)
  sync(to)
  const hash = createHash('sha256')
  await pipeline(createReadStream(to), hash)
  return { summary, bytes: statSync(to).size, sha256: hash.digest('hex') }
}

function checked(file: string) {
  const copied = new Database(file)
  try {
    // One file, which needs no others beside it.
    copied.pragma('journal_mode = delete')
    const damage = damageOf(copied)
    if (damage) throw new Error(`the store is damaged: ${damage}`)
    return summarize(copied)
  } finally {
    copied.close()
  }
}

function sync(file: string) {
  const handle = openSync(file, 'r+')
  fsyncSync(handle)
  closeSync(handle)
}
