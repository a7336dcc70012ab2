import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../harness/folder.ts'
import { freePort } from '../harness/ports.ts'
import { type Service, startService, untilOk } from '../harness/service.ts'
import { until } from '../harness/until.ts'
import { samplesOf } from '../prometheus/page.ts'
import type { Sample } from '../prometheus/server.ts'

type Labels = Record<string, string>

/** What a bridge's page tells. */
export type Counts = {
  /** Sum of the samples of `name` whose labels include `labels`. @throws Error when there are none. */
  value(name: string, labels?: Labels): Promise<number>
  /** Waits until that is `expected`. */
  shows(name: string, labels: Labels, expected: number, deadlineMs?: number): Promise<void>
}

/** A bridge process on a data folder of its own, and what it shows. */
export type RunningBridge = Counts & {
  dataDir: string
  /** host:port of its pages. */
  address: string
  service(): Service
  /** The same counts less what they are now, so that tests can share a bridge one after the other. */
  fromNow(): Promise<Counts>
  /** The lines of a stream's CSV of that day, without the header. */
  rows(stream: string, date: string): string[]
  /** What `/readyz` answers. */
  readiness(): Promise<{ status: number; text: string }>
  kill9(): Promise<void>
  /** Starts it again on the same folder, with other variables if given; resolves when it is ready. */
  restart(environment?: Labels): Promise<void>
} & AsyncDisposable

/** Starts it and resolves when it is ready, unless `ready` is false. */
export async function startBridge(
  brokers: string,
  environment: Labels = {},
  ready = true,
): Promise<RunningBridge> {
  const folder = temporaryFolder()
  const address = `127.0.0.1:${await freePort()}`
  const start = (changed: Labels = {}) =>
    startService('services/bridge/main.ts', {
      KAFKA_BROKERS: brokers,
      METERBRIDGE_DATA_DIR: folder.path,
      METERBRIDGE_LISTEN: address,
      ...environment,
      ...changed,
    })
  let service = start()
  const untilReady = () => untilOk(service, `http://${address}/readyz`, 30_000)
  if (ready) await untilReady()

  const samples = async () => samplesOf(await (await fetch(`http://${address}/metrics`)).text())
  const counts = (before: Sample[]): Counts => {
    const value = async (name: string, labels: Labels = {}) => {
      const found = matching(await samples(), name, labels)
      if (found.length === 0) throw new Error(`no sample of ${name} ${JSON.stringify(labels)}`)
      return sum(found) - sum(matching(before, name, labels))
    }
    return { value, shows: (...expected) => shows(value, () => service.output(), ...expected) }
  }
  return {
    ...counts([]),
    dataDir: folder.path,
    address,
    service: () => service,
    fromNow: async () => counts(await samples()),
    rows: (stream, date) =>
      readFileSync(join(folder.path, 'lake', 'csv', stream, `dt=${date}`, `${stream}.csv`), 'utf8')
        .trimEnd()
        .split('\n')
        .slice(1),
    readiness: async () => {
      const answer = await fetch(`http://${address}/readyz`)
      return { status: answer.status, text: await answer.text() }
    },
    kill9: async () => void (await service.end('SIGKILL')),
    restart: async (changed) => {
      await service.end()
      service = start(changed)
      await untilReady()
    },
    [Symbol.asyncDispose]: async () => {
      await service.end('SIGKILL')
      folder[Symbol.dispose]()
    },
  }
}

async function shows(
  value: Counts['value'],
  output: () => string,
  name: string,
  labels: Labels,
  expected: number,
  deadlineMs = 20_000,
) {
  let last: number | undefined
  await until(
    `${name} ${JSON.stringify(labels)} is ${expected}`,
    async () => {
      last = await value(name, labels)
      return last === expected
    },
    deadlineMs,
  ).catch((error) => {
    throw new Error(`${error.message}; it is ${last}\n${output()}`)
  })
}

function matching(samples: Sample[], name: string, labels: Labels): Sample[] {
  return samples.filter(
    (sample) =>
      sample.labels.__name__ === name &&
      Object.entries(labels).every(([label, text]) => sample.labels[label] === text),
  )
}

function sum(samples: Sample[]): number {
  return samples.reduce((total, { value }) => total + value, 0)
}
