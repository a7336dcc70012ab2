import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { openReadOnly, type ReadOnlyStore } from '../store/read-only.ts'
import { streams } from '../streams/index.ts'
import { checkInvariants, readPartitions } from './accounting.ts'
import { checkFiles } from './files.ts'
import type { ColumnAccount, Findings, PartitionAccount } from './report.ts'
import { checkShop, type ShopFigures } from './shop.ts'

/** Where the bridge counts and writes meanwhile, what differs is read again before it is believed. */
const TRIES = 8
const RETRY_MS = 400

export type ReadShop = () => ShopFigures
export type ShopSide = {
  read: ReadShop
  /** Whether Kafka may hold more than is counted. */
  isBehind(): Promise<boolean>
}
type Shop = { before: ShopFigures; read: ReadShop; isBehind: boolean }

export type AuditReport = Findings & { partitions: PartitionAccount[]; columns: ColumnAccount[] }

/**
 * Compares what a bridge's store says with itself, with the minute files, and with what the shop gave out.
 *
 * @param shop what the shop says.
 * @throws StartError when there is no store, or it cannot be read.
 */
export async function audit(dataDir: string, shop?: ShopSide): Promise<AuditReport> {
  const store = openReadOnly(join(dataDir, 'bridge', 'bridge.db'))
  // What it has sent by now, the bridge soon has, too.
  const sent = shop?.read()
  try {
    for (let tries = 1; ; tries++) {
      const before = versionOf(store)
      const numbers = shop &&
        sent && { before: sent, read: shop.read, isBehind: await shop.isBehind() }
      const report = store.transaction(() => inspect(store, join(dataDir, 'lake'), numbers))()
      const isMoving = shop !== undefined || versionOf(store) !== before
      if (report.differences.length === 0 || !isMoving || tries === TRIES) return report
      await delay(RETRY_MS)
    }
  } finally {
    store.close()
  }
}

/** Changes when another process has changed the store. */
function versionOf(store: ReadOnlyStore): unknown {
  return store.pragma('data_version', { simple: true })
}

/** All of it of one moment of the store. */
function inspect(store: ReadOnlyStore, lake: string, shop: Shop | undefined): AuditReport {
  const files = checkFiles(store, lake, streams)
  const numbers = shop && checkShop(store, shop.before, shop.read, streams, shop.isBehind)
  return {
    partitions: readPartitions(store),
    columns: files.columns,
    differences: [...checkInvariants(store), ...files.differences, ...(numbers?.differences ?? [])],
    notes: [...files.notes, ...(numbers?.notes ?? [])],
  }
}
