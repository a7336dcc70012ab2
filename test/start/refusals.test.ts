import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { describe, test } from 'node:test'
import { EXIT } from '../../services/runtime/exit-codes.ts'
import { lockFolder } from '../../services/runtime/lock.ts'
import { temporaryFolder } from '../harness/folder.ts'
import { freePort } from '../harness/ports.ts'
import { startService } from '../harness/service.ts'
import { until } from '../harness/until.ts'

const START = 'services/start/main.ts'
/** Alone it takes 2 s at most; tests run beside others. */
const FAST_MS = 15_000
/** With a folder that stays held it waits 10 s more. */
const HELD_MS = 25_000

/** Variables that would let it start: a data folder and ports of its own. */
async function environment(dataDir: string): Promise<Record<string, string>> {
  return {
    METERBRIDGE_DATA_DIR: dataDir,
    METERBRIDGE_LISTEN: `127.0.0.1:${await freePort()}`,
    METERBRIDGE_SHOP_LISTEN: `127.0.0.1:${await freePort()}`,
    METERBRIDGE_BROKER_LISTEN: `127.0.0.1:${await freePort()}`,
  }
}

/** Everything printed by a start that is refused. */
async function refusal(
  variables: Record<string, string>,
  exitCode: number = EXIT.refused,
  withinMs = FAST_MS,
): Promise<string> {
  const began = performance.now()
  const started = startService(START, variables)
  assert.equal(await started.exited, exitCode, started.output())
  const tookMs = performance.now() - began
  assert.ok(tookMs < withinMs, `took ${tookMs} ms`)
  return started.output()
}

for (const variable of [
  'METERBRIDGE_LISTEN',
  'METERBRIDGE_SHOP_LISTEN',
  'METERBRIDGE_BROKER_LISTEN',
]) {
  test(`a port that is taken is told with ${variable}`, async () => {
    using folder = temporaryFolder()
    const variables = await environment(folder.path)
    const address = variables[variable] ?? ''
    const server = createServer().listen(Number(address.split(':')[1]), '127.0.0.1')
    await once(server, 'listening')
    assert.equal(
      await refusal(variables),
      `start: ${address} is taken; stop what listens there, or set ${variable} to a free one\n`,
    )
    server.close()
  })
}

test('a cluster that is not there is told with its address', async () => {
  using folder = temporaryFolder()
  const brokers = `127.0.0.1:${await freePort()}`
  assert.match(
    await refusal(
      { ...(await environment(folder.path)), KAFKA_BROKERS: brokers },
      EXIT.kafkaUnreachable,
    ),
    new RegExp(`^start: cannot reach Kafka at KAFKA_BROKERS=${brokers} \\(.*\\); start it, .*\\n$`),
  )
})

test('a wrong variable is told with its value and what would do', async () => {
  using folder = temporaryFolder()
  const variables = { ...(await environment(folder.path)), METERBRIDGE_LOG_LEVEL: 'loud' }
  assert.equal(
    await refusal(variables),
    'start: METERBRIDGE_LOG_LEVEL is "loud"; it must be one of trace, debug, info, warn, error, silent\n',
  )
})

test('TLS without a cluster is refused, not ignored', async () => {
  using folder = temporaryFolder()
  const variables = { ...(await environment(folder.path)), KAFKA_TLS: 'true' }
  assert.match(await refusal(variables), /^start: KAFKA_TLS or KAFKA_SASL_… is set but .*\n$/)
})

describe('a data folder that somebody else holds', { concurrency: true }, () => {
  for (const room of ['broker', 'shop', 'bridge']) {
    test(`held by another ${room}: waited for a while, then told`, async () => {
      using folder = temporaryFolder()
      const lock = lockFolder(`${folder.path}/${room}`, room)
      const printed = await refusal(await environment(folder.path), EXIT.refused, HELD_MS)
      lock.release()
      const [waiting, told, ...rest] = printed.trimEnd().split('\n')
      assert.equal(waiting, `start: waiting for what still uses ${folder.path} to end: ${room}`)
      assert.match(
        told!,
        new RegExp(`^start: ${room}: another .* is using ${folder.path}/${room};`),
      )
      assert.deepEqual(rest, [])
    })
  }
})

test('a second npm start on the same data folder is told so, before it starts anything', async () => {
  using folder = temporaryFolder()
  const lock = lockFolder(`${folder.path}/start`, 'test')
  const printed = await refusal(await environment(folder.path))
  lock.release()
  assert.match(printed, /^start: another `npm start` is using .*; stop it, or .*\n$/)
})

test('a data folder where nothing can be made is told', async () => {
  const variables = await environment('/proc/meterbridge/data')
  assert.match(
    await refusal(variables),
    /^start: cannot write to \/proc\/meterbridge\/data\/start /,
  )
})

test('one address for both pages is refused', async () => {
  using folder = temporaryFolder()
  const variables = await environment(folder.path)
  const both = { ...variables, METERBRIDGE_SHOP_LISTEN: variables.METERBRIDGE_LISTEN ?? '' }
  assert.match(
    await refusal(both),
    /^start: METERBRIDGE_LISTEN and METERBRIDGE_SHOP_LISTEN are both /,
  )
})

test('topics that are missing are told where they may not be created', async () => {
  using folder = temporaryFolder()
  const brokers = `127.0.0.1:${await freePort()}`
  await using broker = startService('services/broker/main.ts', {
    METERBRIDGE_DATA_DIR: folder.path,
    METERBRIDGE_BROKER_LISTEN: brokers,
  })
  await until('the broker listens', async () => {
    assert.equal(broker.process.exitCode, null, broker.output())
    const socket = connect(Number(brokers.split(':')[1]), '127.0.0.1')
    await once(socket, 'connect')
    return socket.destroy()
  })
  const variables = {
    ...(await environment(folder.path)),
    KAFKA_BROKERS: brokers,
    METERBRIDGE_CREATE_TOPICS: 'false',
  }
  assert.equal(
    await refusal(variables),
    `start: bridge: none of the topics web_requests, new_orders exists at KAFKA_BROKERS=${brokers}; create them, or set METERBRIDGE_CREATE_TOPICS=true\n`,
  )
})
