// First: it must come before kafkajs does.
import '../../services/bridge/source/raw-batches.ts'
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import Database from 'better-sqlite3'
import type { Outcome } from '../../services/bridge/redrive/index.ts'
import { HEADERS } from '../../services/kafka/headers.ts'
import { runAudit } from '../audit/command.ts'
import { produce, withAdmin } from '../broker/clients.ts'
import { type RunningBridge, startBridge } from '../e2e/running-bridge.ts'
import { createTopics, order } from '../e2e/topics.ts'
import { until } from '../harness/until.ts'
import { useOwnKafka } from '../kafka/kafka.ts'
import { deadLetters } from './command.ts'
import { requests, strictOrders } from './strict.ts'
import { countAs } from './stricter.ts'

const { brokers, skip } = await useOwnKafka()

const TOPIC = 'new_orders'
const DATE = '2026-01-02'
const headers = { [HEADERS.time]: String(Date.parse(`${DATE}T03:04:05Z`)) }
/** Orders counted from the start, records that are never valid, and orders that the stricter definition set aside. */
const [PLAIN, BAD, LARGE] = [2, 2, 150]
const EVICTED = 1
/** A command has to start first, which takes its time where much else runs. */
const COMMAND_LIMIT_MS = 60_000
/** Requests with numbers; a batch of them was of a codec that was not known. */
const NUMBERED = 'web_requests'
const UNREADABLE = [3, 4, 5]
const UNKNOWN_CODEC = 6
const numbered = (sequence: number) => ({
  value: '1',
  headers: { [HEADERS.source]: 'a', [HEADERS.sequence]: String(sequence) },
})
/** Another group each time: nobody waits for the session of the one that was killed. */
let groups = 0
const freshGroup = () => ({ KAFKA_GROUP_ID: `redrive-${groups++}` })

describe('dead letters that are driven through again', { skip, concurrency: 1 }, () => {
  let bridge: RunningBridge
  const run = (...args: string[]) => deadLetters(bridge, ...args)
  const post = (body: unknown, authorization = `Bearer ${token()}`, method = 'POST') =>
    fetch(`http://${bridge.address}/redrive`, {
      method,
      headers: { authorization },
      ...(method === 'POST' ? { body: JSON.stringify(body) } : {}),
    })
  const outcomes = async (...ids: number[]) =>
    ((await (await post({ ids })).json()) as { letters: Outcome[] }).letters
  /** Why a dead letter stays. */
  const why = async (id: number) => {
    const [outcome] = await outcomes(id)
    return outcome?.result === 'stays' ? outcome.why : JSON.stringify(outcome)
  }
  const token = () => readFileSync(join(bridge.dataDir, 'bridge', 'token'), 'utf8').trim()
  const counts = async () => ({
    orders: await bridge.value('shop_orders_total'),
    redriven: await bridge.value('meterbridge_redriven_records_total', { topic: TOPIC }),
    rejected: await bridge.value('meterbridge_rejected_records_total', { topic: TOPIC }),
  })

  /** Some orders count; the large ones and the bad ones are dead letters, of which the first was evicted. */
  before(async () => {
    await createTopics(brokers, 1)
    bridge = await startBridge(brokers, freshGroup())
    await bridge.service().end('SIGTERM')
    const values = [
      ...Array.from({ length: PLAIN }, (_, i) => order(i, 1)),
      ...Array.from({ length: BAD }, () => '{"order_id":1}\u001b[2J'),
      ...Array.from({ length: LARGE }, (_, i) => order(i, 10)),
    ]
    await produce(brokers, TOPIC, [{ value: values[0]!, headers }])
    await produce(
      brokers,
      TOPIC,
      values.slice(1).map((value) => ({ value, headers })),
    )
    await countAs(brokers, bridge.dataDir, strictOrders)
    for (const numbers of [[1, 2], UNREADABLE, [6]])
      await produce(brokers, NUMBERED, numbers.map(numbered))
    await countAs(brokers, bridge.dataDir, requests, (batch) =>
      batch.baseOffset === 2 ? { ...batch, codecId: UNKNOWN_CODEC } : batch,
    )
    const database = new Database(join(bridge.dataDir, 'bridge', 'bridge.db'))
    database.exec(`delete from dead_letters where id = ${EVICTED}`)
    database.close()
  })
  after(() => bridge?.[Symbol.asyncDispose]())

  test('a bridge that does not run is said to be missing, and its dead letters are listed', async () => {
    const listed = await run('list', '--limit', '2')
    assert.equal(listed.code, 0, listed.output)
    assert.match(
      listed.output,
      /new_orders\/0@153 +range +order_amount must be at most 3 .* waiting/,
    )
    assert.match(listed.output, /152 dead letters, 152 not redriven; 2 shown/)
    const asked = await run('redrive', '--all')
    assert.equal(asked.code, 1)
    assert.match(
      asked.output,
      /no bridge answers at http:\S+ \(.*\); start it, or set METERBRIDGE_LISTEN/,
    )
  })

  test('the bridge redrives for who has the token of its data folder, and for nobody else', async () => {
    await bridge.restart(freshGroup())
    assert.equal(statSync(join(bridge.dataDir, 'bridge', 'token')).mode & 0o777, 0o600)
    const answers: [number, Response][] = [
      [405, await post({}, '', 'GET')],
      [401, await post({ ids: [2] }, '')],
      [401, await post({ ids: [2] }, `Bearer ${'0'.repeat(64)}`)],
      [400, await post({ ids: [] })],
      [400, await post({ ids: ['2'] })],
      [400, await post({ ids: Array(201).fill(2) })],
      [400, await post({ ids: [2], more: 'x'.repeat(100_000) })],
    ]
    for (const [status, response] of answers) {
      assert.equal(response.status, status)
      assert.match(await response.text(), /\.\n$/)
    }
    assert.equal((await counts()).redriven, 0)
  })

  test('what is valid now is counted once, also when the bridge is killed in the middle', async () => {
    await until('the day is written', () => bridge.rows('orders', DATE)[0]?.includes(',2,'))
    const before = await counts()
    assert.deepEqual(before, { orders: PLAIN, redriven: 0, rejected: LARGE + BAD })
    const firstAsked = run('redrive', '--reason', 'range')
    const isBegun = async () => (await counts()).redriven > 0
    await until('some are redriven', isBegun, COMMAND_LIMIT_MS).catch(async (error) => {
      throw new Error(`${error.message}; ${(await firstAsked).output}`)
    })
    await bridge.kill9()
    await firstAsked
    await bridge.restart(freshGroup())
    const second = await run('redrive', '--topic', TOPIC)
    assert.equal(second.code, 1, 'the bad one stays')
    assert.deepEqual(
      (await outcomes(3, 4)).map(({ result }) => result),
      ['already', 'already'],
    )
    assert.deepEqual(await counts(), { ...before, orders: PLAIN + LARGE, redriven: LARGE })
  })

  test('the file of its day is written again, and everything agrees', async () => {
    await until('the row has all', () =>
      bridge.rows('orders', DATE)[0]?.startsWith(`${DATE} 03:04:00,${PLAIN + LARGE},`),
    )
    const file = join(bridge.dataDir, 'lake', 'manifests', 'orders', `dt=${DATE}`, 'manifest.json')
    const { revision } = JSON.parse(readFileSync(file, 'utf8')) as { revision: number }
    assert.ok(revision > 1, `revision ${revision}`)
    const { code, output } = await runAudit(bridge.dataDir)
    assert.equal(code, 0, output)
  })

  test('a batch that can be read now is counted whole, and the loss of its numbers is taken back', async () => {
    const at = { topic: NUMBERED, partition: '0' }
    assert.equal(await bridge.value('meterbridge_lost_records_total', at), UNREADABLE.length)
    const { code, output } = await run('redrive', '--topic', NUMBERED)
    assert.equal(code, 0)
    assert.match(output, /1 redriven: 3 records counted/)
    await bridge.shows('meterbridge_recovered_records_total', at, UNREADABLE.length)
    await bridge.shows('web_requests_total', {}, 6)
    // One of them, sent again, comes into no gap any more.
    await produce(brokers, NUMBERED, [numbered(4), numbered(7)])
    await bridge.shows('web_requests_total', {}, 7)
    await bridge.shows('meterbridge_records_total', { ...at, result: 'duplicate' }, 1)
  })

  test('what stays says why, as does what was evicted or never was', async () => {
    // More than one call may ask for.
    const never = Array.from({ length: 201 }, (_, i) => String(9_000 + i))
    const { code, output } = await run('redrive', '2', String(EVICTED), ...never)
    assert.equal(code, 1)
    assert.match(output, /203 stay:/)
    assert.match(output, /2: offset 3: json: /)
    assert.match(output, /1: it was dropped to keep the store bounded/)
    assert.match(output, /9000: there is no dead letter of this id/)
    const shown = await run('show', '2')
    assert.match(shown.output, /state +stays: offset 3: json/)
    assert.match(shown.output, /\{"order_id":1\}\\u001b\[2J/, 'nothing that moves a cursor')
  })

  test('a record that retention took, and one of a topic that was made anew, say so', async () => {
    await withAdmin(brokers, async (admin) => {
      await admin.fetchTopicOffsets(TOPIC) // kafkajs finds no leader without
      const partitions = [{ partition: 0, offset: '10' }]
      await admin.deleteTopicRecords({ topic: TOPIC, partitions })
    })
    assert.match(await why(2), /does not hold the record any more \(the log begins at 10 now\)/)
    await withAdmin(brokers, (admin) => admin.deleteTopics({ topics: [TOPIC] }))
    await until('it is made anew', async () => {
      await createTopics(brokers, 1, [TOPIC])
      return true
    })
    // Before the bridge has seen it, as far as that can be told, and behind.
    await until('Kafka answers', async () => !(await why(2)).includes('could not be tried'))
    assert.match(await why(2), /its topic was deleted and made anew/)
    await until('its first record is counted', async () => {
      const { orders } = await counts()
      if (orders > PLAIN + LARGE) return true
      await produce(brokers, TOPIC, [{ value: order(1), headers }])
      return false
    })
    assert.match(await why(2), /its topic was deleted and made anew/)
  })
})
