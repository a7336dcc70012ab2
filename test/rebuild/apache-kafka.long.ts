import assert from 'node:assert/strict'
import { existsSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { produce, withAdmin } from '../broker/clients.ts'
import { type RunningBridge, startBridge } from '../e2e/running-bridge.ts'
import { createTopics, order, TOPICS } from '../e2e/topics.ts'
import { freePort } from '../harness/ports.ts'
import { startService } from '../harness/service.ts'
import { until } from '../harness/until.ts'
import { useOwnKafka } from '../kafka/kafka.ts'

const { brokers, skip } = await useOwnKafka()
const [REQUESTS, ORDERS] = TOPICS as [string, string]

/** `npm run meterbridge -- rebuild …` on the bridge's folder. */
async function rebuild({ dataDir }: RunningBridge, ...args: string[]) {
  const command = startService(
    'services/commands/main.ts',
    { KAFKA_BROKERS: brokers, METERBRIDGE_DATA_DIR: dataDir, METERBRIDGE_LOG_LEVEL: 'error' },
    ['rebuild', ...args],
  )
  return { code: await command.exited, text: command.output() }
}

const requests = (count: number) =>
  produce(
    brokers,
    REQUESTS,
    Array.from({ length: count }, () => ({ value: '1' })),
  )

/** Takes the records below `offset` away, as retention does. */
const forget = (offset: number) =>
  withAdmin(brokers, async (admin) => {
    await admin.fetchTopicOffsets(REQUESTS) // kafkajs finds no leader without
    await admin.deleteTopicRecords({
      topic: REQUESTS,
      partitions: [{ partition: 0, offset: String(offset) }],
    })
  })

/** Overwrites the middle of the database. */
function damage({ dataDir }: RunningBridge) {
  const file = openSync(join(dataDir, 'bridge', 'bridge.db'), 'r+')
  for (let page = 2; page < 24; page++)
    writeSync(file, Buffer.alloc(2_048, 0xa5), 0, 2_048, page * 4_096)
}

const checkpointsOf = ({ dataDir }: RunningBridge) => join(dataDir, 'bridge', 'checkpoints')

describe('rebuild on Apache Kafka', { skip }, () => {
  test('a damaged store is refused, counted anew and put in place, with every number as before; what Kafka has no more is only left out when told', async () => {
    await createTopics(brokers, 1)
    await using bridge = await startBridge(brokers)
    await requests(10)
    await produce(brokers, ORDERS, [{ value: order(1, 2) }, { value: 'no order' }])
    await bridge.shows('web_requests_total', {}, 10)
    await until('the checkpoint is made', () =>
      existsSync(join(checkpointsOf(bridge), 'chain.jsonl')),
    )
    await requests(10)
    await bridge.shows('web_requests_total', {}, 20)
    await bridge.shows('meterbridge_rejected_records_total', { topic: ORDERS }, 1)

    const second = startService('services/bridge/main.ts', {
      ...{ KAFKA_BROKERS: brokers, METERBRIDGE_DATA_DIR: bridge.dataDir },
      METERBRIDGE_LISTEN: `127.0.0.1:${await freePort()}`,
    })
    assert.equal(await second.exited, 1)
    assert.match(second.output(), /another bridge is using .*METERBRIDGE_DATA_DIR/)

    const beside = await rebuild(bridge)
    assert.match(beside.text, /Counted from the checkpoint .*\.db\.\nIt equals the old store/)
    assert.equal(beside.code, 0, beside.text)
    const inUse = await rebuild(bridge, '--swap')
    assert.match(inUse.text, /another bridge is using/)
    assert.equal(inUse.code, 1)

    await bridge.service().end('SIGTERM')
    const position = 20
    damage(bridge)
    await assert.rejects(bridge.restart(), /is damaged .*npm run meterbridge -- rebuild --swap/)
    const swapped = await rebuild(bridge, '--swap')
    assert.match(swapped.text, /not legible \(.*\): nothing to compare with/)
    assert.match(swapped.text, /It is in place; start the bridge\. The old store is kept as/)
    assert.equal(swapped.code, 0, swapped.text)
    await bridge.restart()
    await bridge.shows('web_requests_total', {}, 20)
    await bridge.shows('shop_ordered_units_total', {}, 2)
    await bridge.shows('meterbridge_rejected_records_total', { topic: ORDERS }, 1)
    await bridge.shows('meterbridge_position', { topic: REQUESTS }, position)

    await bridge.service().end('SIGTERM')
    await forget(15)
    rmSync(checkpointsOf(bridge), { recursive: true })
    const refused = await rebuild(bridge, '--swap')
    assert.match(refused.text, /web_requests\/0: offsets 0 to 14\n/)
    assert.equal(refused.code, 1)
    const accepted = await rebuild(bridge, '--swap', '--accept-loss')
    assert.match(accepted.text, /of them would be LOWER than before/)
    assert.equal(accepted.code, 0, accepted.text)
    await bridge.restart()
    await bridge.shows('web_requests_total', {}, 5)
    await bridge.shows('meterbridge_skipped_offsets_total', { topic: REQUESTS }, 15)
    const kept = readdirSync(join(bridge.dataDir, 'bridge')).filter((name) => /before/.test(name))
    assert.ok(kept.length >= 2, kept.join())
  })

  test('a database that is gone is not begun anew from 0', async () => {
    await using bridge = await startBridge(brokers)
    await bridge.shows('web_requests_total', {}, 5)
    await until('the checkpoint is made', () =>
      existsSync(join(checkpointsOf(bridge), 'chain.jsonl')),
    )
    const chain = readFileSync(join(checkpointsOf(bridge), 'chain.jsonl'), 'utf8')
    await bridge.kill9()
    for (const end of ['', '-wal', '-shm'])
      rmSync(join(bridge.dataDir, 'bridge', `bridge.db${end}`), { force: true })
    await assert.rejects(
      bridge.restart(),
      /is gone, though .*checkpoints.* a new one would count from 0/,
    )
    const { code, text } = await rebuild(bridge, '--swap')
    assert.equal(code, 0, text)
    await bridge.restart()
    await bridge.shows('web_requests_total', {}, 5)
    const { storeId } = JSON.parse(chain.split('\n')[0]!)
    assert.match(bridge.service().output(), new RegExp(storeId))
  })
})
