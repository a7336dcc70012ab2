import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { temporaryFolder } from '../harness/folder.ts'
import { freePort } from '../harness/ports.ts'
import { type Service, startService } from '../harness/service.ts'
import { until } from '../harness/until.ts'

const START = 'services/start/main.ts'
const READY_WITHIN_MS = 20_000

type Started = { service: Service; shop: string; bridge: string; variables: Record<string, string> }

/** `npm start` on free ports, once it has told where to look. */
async function started(dataDir: string, again?: Started): Promise<Started> {
  const variables = again?.variables ?? {
    METERBRIDGE_DATA_DIR: dataDir,
    METERBRIDGE_LISTEN: `127.0.0.1:${await freePort()}`,
    METERBRIDGE_SHOP_LISTEN: `127.0.0.1:${await freePort()}`,
    METERBRIDGE_BROKER_LISTEN: `127.0.0.1:${await freePort()}`,
  }
  const service = startService(START, variables)
  await until(
    'it says that it is running',
    () => {
      const ended = service.process.exitCode !== null
      return ended || service.output().includes('meterbridge is running')
    },
    READY_WITHIN_MS,
  )
  assert.equal(service.process.exitCode, null, service.output())
  return {
    service,
    shop: `http://${variables.METERBRIDGE_SHOP_LISTEN}`,
    bridge: `http://${variables.METERBRIDGE_LISTEN}`,
    variables,
  }
}

/** Orders `amount` pieces, on credit. */
async function order(shop: string, amount: number) {
  const body = new URLSearchParams({ email: 'ada@example.org', amount: String(amount) })
  const answer = await fetch(`${shop}/order-new`, { method: 'POST', body, redirect: 'manual' })
  assert.equal(answer.status, 303)
}

/** The sum over all label sets of one metric. */
async function total(bridge: string, name: string): Promise<number> {
  const page = await (await fetch(`${bridge}/metrics`)).text()
  const samples = page.split('\n').filter((line) => new RegExp(`^${name}[{ ]`).test(line))
  return samples.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

/** Where to look is told before the first log line. */
function assertGreeting({ service, shop, bridge }: Started, dataDir: string) {
  const lines = service.output().split('\n')
  const firstLog = lines.findIndex((line) => line.startsWith('{'))
  const told = lines.slice(0, firstLog < 0 ? undefined : firstLog).join('\n')
  for (const place of [`${shop}/`, `${bridge}/metrics`, dataDir, 'development broker']) {
    assert.ok(told.includes(place), told)
  }
}

async function gone(url: string) {
  await until(`${url} no longer answers`, () =>
    fetch(url).then(
      () => false,
      () => true,
    ),
  )
}

/** Two at once: much of it waits for services to stop. */
describe('npm start', { concurrency: 2 }, () => {
  test('it counts an order, stops on Ctrl-C, and goes on with its numbers when started again', async () => {
    using folder = temporaryFolder()
    const first = await started(folder.path)
    {
      await using service = first.service
      assertGreeting(first, folder.path)
      await order(first.shop, 3)
      await until(
        '3 pieces are counted',
        async () => (await total(first.bridge, 'shop_ordered_units_total')) === 3,
      )
      service.process.kill('SIGINT') // npm passes on what the terminal has sent as well: one press, two signals
      assert.equal(await service.end('SIGINT'), 0, service.output())
    }
    const second = await started(folder.path, first)
    await using service = second.service
    assert.equal(await total(second.bridge, 'shop_ordered_units_total'), 3)
    await order(second.shop, 4)
    await until(
      '7 pieces are counted',
      async () => (await total(second.bridge, 'shop_ordered_units_total')) === 7,
    )
    assert.equal(await service.end('SIGTERM'), 0, service.output())
    await gone(`${second.shop}/healthz`)
  })

  test('a service that dies takes the others with it, and says which', async () => {
    using folder = temporaryFolder()
    const { service, shop } = await started(folder.path)
    await using _ = service
    process.kill(bridgeOf(service), 'SIGKILL')
    assert.equal(await service.exited, 1)
    assert.match(
      service.output(),
      /start: bridge: it ended with signal SIGKILL; the others are stopped\n/,
    )
    await gone(`${shop}/healthz`)
  })

  test('after a kill -9 of npm start the next one simply works, and goes on with its numbers', async () => {
    using folder = temporaryFolder()
    const first = await started(folder.path)
    await order(first.shop, 5)
    await until(
      '5 pieces are counted',
      async () => (await total(first.bridge, 'shop_ordered_units_total')) === 5,
    )
    await first.service.end('SIGKILL')
    const second = await started(folder.path, first)
    await using service = second.service
    assert.equal(await total(second.bridge, 'shop_ordered_units_total'), 5)
    assert.equal(await service.end('SIGHUP'), 0, service.output())
    await gone(`${second.shop}/healthz`)
    await gone(`${second.bridge}/healthz`)
  })

  test('a second Ctrl-C ends a stop that hangs, and leaves nothing', async () => {
    using folder = temporaryFolder()
    const { service, shop, bridge } = await started(folder.path)
    await using _ = service
    process.kill(bridgeOf(service), 'SIGSTOP')
    service.process.kill('SIGINT')
    await gone(`${shop}/healthz`)
    assert.equal(service.process.exitCode, null)
    await until(
      'it ends',
      () => service.process.exitCode !== null || !service.process.kill('SIGINT'),
    )
    assert.equal(service.process.exitCode, 1)
    await gone(`${bridge}/healthz`)
  })
})

/** The process id of the bridge that this `npm start` started. */
function bridgeOf({ process: { pid } }: Service): number {
  const args = ['-P', String(pid), '-f', 'services/bridge/main.ts']
  return Number(execFileSync('pgrep', args, { encoding: 'utf8' }))
}
