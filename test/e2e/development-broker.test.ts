import { after, describe, test } from 'node:test'
import { encodeBatch } from '../bridge/record-batch.ts'
import { startDevelopmentBroker } from '../broker/development-broker.ts'
import { produceRaw } from '../broker/raw.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { createTopics, order, pipelineContract } from './pipeline-contract.ts'
import { startBridge } from './running-bridge.ts'

const folder = temporaryFolder()
const broker = await startDevelopmentBroker(folder.path)
after(async () => {
  await broker[Symbol.asyncDispose]()
  folder[Symbol.dispose]()
})
await createTopics(broker.brokers, 2)

pipelineContract('development broker', broker.brokers)

describe('batches that Apache Kafka would refuse', () => {
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
      await using bridge = await startBridge(broker.brokers, { METERBRIDGE_START_FROM: 'latest' })
      await produceRaw(broker.brokers, 'new_orders', encodeBatch(batch))
      await produceRaw(broker.brokers, 'new_orders', encodeBatch({ records: good }))
      await bridge.shows('shop_orders_total', {}, counted + 2)
      await bridge.shows(
        'meterbridge_rejected_records_total',
        { reason: 'undecodable' },
        2 - counted,
      )
    })
  }
})
