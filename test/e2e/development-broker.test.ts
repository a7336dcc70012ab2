import { after, before, describe, test } from 'node:test'
import { encodeBatch } from '../bridge/record-batch.ts'
import { startDevelopmentBroker } from '../broker/development-broker.ts'
import { produceRaw } from '../broker/raw.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { pipelineContract } from './pipeline-contract.ts'
import { restartContract } from './restart-contract.ts'
import { type RunningBridge, startBridge } from './running-bridge.ts'
import { createTopics, order } from './topics.ts'

/** A broker with both topics, gone when this file's tests are over. */
async function broker(): Promise<string> {
  const folder = temporaryFolder()
  const started = await startDevelopmentBroker(folder.path)
  after(async () => {
    await started[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })
  await createTopics(started.brokers, 2)
  return started.brokers
}

const brokers = await broker()
const forRestarts = await broker()

describe('development broker', { concurrency: 2 }, () => {
  restartContract(forRestarts)

  describe('from event to counter and row', { concurrency: 1 }, () => {
    let bridge: RunningBridge
    before(async () => {
      bridge = await startBridge(brokers)
    })
    after(() => bridge?.[Symbol.asyncDispose]())

    pipelineContract(brokers, () => bridge)
    refusedBatchTests(() => bridge)
  })
})

/** Batches that Apache Kafka would refuse. */
function refusedBatchTests(bridge: () => RunningBridge) {
  const good = [{ value: order(1) }, { value: order(2) }]
  const bad: [what: string, batch: Parameters<typeof encodeBatch>[0], counted: number][] = [
    ['a batch of an unknown codec', { records: good, codecId: 6 }, 0],
    [
      'a batch that does not decompress',
      { records: good, codecId: 2, compress: () => Buffer.from('no') },
      0,
    ],
    [
      'a batch that is cut in its second record',
      { records: good, compress: (plain) => plain.subarray(0, -5) },
      1,
    ],
  ]
  for (const [what, batch, counted] of bad) {
    test(`${what} is set aside record by record, and the next is counted`, async () => {
      const counts = await bridge().fromNow()
      await produceRaw(brokers, 'new_orders', encodeBatch(batch))
      await produceRaw(brokers, 'new_orders', encodeBatch({ records: good }))
      await counts.shows('shop_orders_total', {}, counted + 2)
      await counts.shows(
        'meterbridge_rejected_records_total',
        { reason: 'undecodable' },
        2 - counted,
      )
    })
  }
}
