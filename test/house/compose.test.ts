import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { readSettings } from '../../services/settings/settings.ts'
import { readConfig } from '../prometheus/config.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(resolve(ROOT, file), 'utf8')

type Service = {
  image: string
  build?: string
  user: string
  restart: string
  command?: string[]
  ports: string[]
  volumes: string[]
  environment?: Record<string, string>
  healthcheck: { test: string[] }
  depends_on?: Record<string, { condition: string }>
  stop_grace_period: string
}
const compose = parse(read('docker-compose.yml'), { merge: true }) as {
  services: Record<string, Service>
  volumes: Record<string, null>
}
const services = Object.entries(compose.services)
const dockerfile = read('Dockerfile')
const imageEnvironment = Object.fromEntries(
  [...dockerfile.matchAll(/\b([A-Z_]+)=(\S+)/g)].map(([, name, value]) => [name, value]),
)

describe('docker-compose.yml', () => {
  test('runs Kafka, shop, bridge, Prometheus, Alertmanager and Grafana', () => {
    const names = ['alertmanager', 'bridge', 'grafana', 'kafka', 'prometheus', 'shop']
    assert.deepEqual(Object.keys(compose.services).sort(), names)
  })

  for (const [name, service] of services) {
    test(`${name}: pinned, not as root, healthy before others, ended in peace`, () => {
      assert.match(service.image, /^[a-z/]+:v?\d+\.\d+\.\d+$/, 'a version in full')
      assert.ok(service.user && !/^(0|root)(:|$)/.test(service.user), 'a user other than root')
      assert.equal(service.healthcheck.test[0], 'CMD')
      assert.equal(service.restart, 'unless-stopped')
      assert.ok(Number.parseInt(service.stop_grace_period, 10) > 10)
      for (const { condition } of Object.values(service.depends_on ?? {})) {
        assert.equal(condition, 'service_healthy')
      }
    })

    test(`${name}: opens ports on this machine only`, () => {
      for (const port of service.ports) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/)
    })

    test(`${name}: mounts what exists, read-only, and keeps its data in a named volume`, () => {
      for (const mount of service.volumes) {
        const [from = '', , mode] = mount.split(':')
        if (!from.startsWith('.')) assert.ok(from in compose.volumes, `${from} is no volume`)
        else assert.ok(existsSync(resolve(ROOT, from)) && mode === 'ro', mount)
      }
      assert.ok(service.volumes.some((mount) => !mount.startsWith('.')))
    })
  }

  test('opens no port twice', () => {
    const ports = services.flatMap(([, { ports }]) => ports).map((port) => port.split(':')[1])
    assert.equal(new Set(ports).size, ports.length)
  })

  for (const name of ['shop', 'bridge']) {
    test(`${name}: starts a script of ours with settings that it takes`, () => {
      const { command, environment, build } = compose.services[name]!
      assert.equal(build, '.')
      assert.deepEqual(command, [`services/${name}/main.ts`])
      assert.ok(existsSync(resolve(ROOT, command[0]!)))
      assertKnown(Object.keys(environment ?? {}))
      const settings = readSettings({ ...imageEnvironment, ...environment })
      const kafka = compose.services.kafka!.environment!
      assert.ok(kafka.KAFKA_ADVERTISED_LISTENERS?.includes(`//${settings.kafka.brokers}`))
      assert.equal(settings.dataDir, '/data')
      assert.equal(settings.createTopics, true)
    })
  }

  test('gives Prometheus the addresses at which shop and bridge listen', () => {
    const { listen, shopListen } = readSettings(imageEnvironment)
    const targets = readConfig().scrape_configs.flatMap(({ static_configs }) =>
      static_configs.flatMap(({ targets }) => targets),
    )
    assert.deepEqual(targets, [`bridge:${listen.port}`, `shop:${shopListen.port}`])
    assert.deepEqual([listen.host, shopListen.host], ['0.0.0.0', '0.0.0.0'])
  })
})

describe('Dockerfile', () => {
  test('runs on the Node of the tests, not as root', () => {
    const { devDependencies } = JSON.parse(read('package.json'))
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image)
    assert.deepEqual(new Set(bases), new Set([`node:${devDependencies.node}-trixie-slim`]))
    const user = /^USER (\S+)$/m.exec(dockerfile)?.[1]
    assert.equal(user, 'node')
    assert.match(dockerfile, /^HEALTHCHECK /m)
    assert.match(dockerfile, /^VOLUME \/data$/m)
  })

  test('copies what exists and what .dockerignore lets through', () => {
    const let_through = read('.dockerignore').match(/(?<=^!).+/gm) ?? []
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, files]) =>
      files!.split(' ').map((file) => file.replace(/^\.\/(?=\w)/, '')),
    )
    assert.deepEqual(new Set(copied), new Set(let_through))
    for (const file of copied) assert.ok(existsSync(resolve(ROOT, file)), file)
  })
})

describe('.env.example', () => {
  const written = [...read('.env.example').matchAll(/^#([A-Z_]+)=(.*)$/gm)]
  const own = written.filter(([, name]) => /^(KAFKA|METERBRIDGE)_/.test(name!))

  test('names every variable once', () => {
    const read_by_services = read('services/settings/settings.ts').matchAll(
      /'((?:KAFKA|METERBRIDGE)_[A-Z_]+)'/g,
    )
    const expected = new Set([...read_by_services].map(([, name]) => name))
    assert.deepEqual(own.map(([, name]) => name).sort(), [...expected].sort())
  })

  test('shows the defaults', () => {
    const environment = Object.fromEntries(own.map(([, name, value]) => [name, value]))
    assert.deepEqual(readSettings(environment), readSettings({}))
  })

  test('names what docker-compose.yml asks for', () => {
    for (const [, name, otherwise] of read('docker-compose.yml').matchAll(/\$\{(\w+):-(.*?)\}/g)) {
      assert.equal(written.find(([, known]) => known === name)?.[2], otherwise, name)
    }
  })
})

function assertKnown(names: string[]) {
  const known = read('.env.example') + dockerfile
  for (const name of names) assert.match(known, new RegExp(`\\b${name}=`), `${name} is not known`)
}
