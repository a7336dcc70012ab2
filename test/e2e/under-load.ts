import assert from 'node:assert/strict'
import { Differences } from '../torture/differences.ts'
import { Ledger } from '../torture/ledger.ts'
import { Probe, startLoad } from '../torture/load.ts'
import { type Supervisee, startSupervised } from '../torture/pair.ts'
import { Scraper } from '../torture/scraper.ts'
import { type Totals, verify } from '../torture/verify.ts'

const DEADLINE_MS = 60_000

export type UnderLoad = {
  shop: Supervisee
  bridge: Supervisee
  /** ms until an order that is placed now is counted, with all before it. */
  recoveryMs(): Promise<number>
}

/**
 * Runs `disturb` while customers order from a shop and a bridge counts, both below `folder`; afterwards all that was
 * ordered must be in Kafka, in the counters, the minutes and the files, once.
 */
export async function underLoad(
  folder: string,
  brokers: string,
  disturb: (running: UnderLoad) => Promise<void>,
): Promise<Totals> {
  const environment = { KAFKA_BROKERS: brokers }
  await using shop = await startSupervised('shop', folder, environment)
  await using bridge = await startSupervised('bridge', folder, environment)
  const [ledger, scraper] = [new Ledger(), new Scraper(bridge.url)]
  const differences = new Differences()
  const probe = new Probe(shop.url, ledger, scraper)
  const recoveryMs = async () => {
    const ms = await probe.recovery(DEADLINE_MS)
    assert.ok(ms !== undefined, `not counting after ${DEADLINE_MS} ms`)
    return ms
  }
  const load = startLoad(shop.url, ledger, scraper)
  try {
    await recoveryMs()
    await disturb({ shop, bridge, recoveryMs })
  } finally {
    await load.end()
  }
  const totals = await verify({ brokers, shop, bridge, ledger, scraper, differences })
  assert.deepEqual(differences.lines, [])
  return totals
}
