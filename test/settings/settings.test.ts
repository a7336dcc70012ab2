import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { StartError } from '../../services/runtime/start-error.ts'
import { readSettings, requireBrokers, type Settings } from '../../services/settings/settings.ts'
import { temporaryFolder } from '../harness/folder.ts'

type Environment = Record<string, string>

function refusal(environment: Environment): string {
  try {
    readSettings(environment)
  } catch (error) {
    assert.ok(error instanceof StartError, String(error))
    return error.message
  }
  return assert.fail(`accepted: ${JSON.stringify(environment)}`)
}

test('without any variable every setting has its default', () => {
  assert.deepEqual(readSettings({}), {
    kafka: { brokers: [], tls: false },
    dataDir: resolve('data'),
    listen: { host: '127.0.0.1', port: 9464 },
    shopListen: { host: '127.0.0.1', port: 3000 },
    brokerListen: { host: '127.0.0.1', port: 9092 },
    logLevel: 'info',
    startFrom: 'earliest',
    createTopics: false,
  } satisfies Settings)
})

test('an empty variable is one that is not set', () => {
  const empty = { KAFKA_BROKERS: '', METERBRIDGE_LISTEN: ' ', KAFKA_SASL_MECHANISM: '' }
  assert.deepEqual(readSettings(empty), readSettings({}))
})

const parsed: [Environment, (settings: Settings) => unknown, unknown][] = [
  [{ KAFKA_BROKERS: 'a:9092, b.c:9093,' }, (s) => s.kafka.brokers, ['a:9092', 'b.c:9093']],
  [{ KAFKA_GROUP_ID: 'mine' }, (s) => s.kafka.groupId, 'mine'],
  [{ KAFKA_TLS: 'true' }, (s) => s.kafka.tls, {}],
  [{ KAFKA_TLS: 'false' }, (s) => s.kafka.tls, false],
  [{ METERBRIDGE_DATA_DIR: 'elsewhere' }, (s) => s.dataDir, resolve('elsewhere')],
  [{ METERBRIDGE_LISTEN: '0.0.0.0:80' }, (s) => s.listen, { host: '0.0.0.0', port: 80 }],
  [{ METERBRIDGE_SHOP_LISTEN: '[::1]:3001' }, (s) => s.shopListen, { host: '::1', port: 3001 }],
  [
    { METERBRIDGE_BROKER_LISTEN: 'localhost:65535' },
    (s) => s.brokerListen,
    { host: 'localhost', port: 65_535 },
  ],
  [{ METERBRIDGE_LOG_LEVEL: 'DEBUG' }, (s) => s.logLevel, 'debug'],
  [{ METERBRIDGE_START_FROM: ' latest ' }, (s) => s.startFrom, 'latest'],
  [{ METERBRIDGE_CREATE_TOPICS: 'true' }, (s) => s.createTopics, true],
  [
    {
      KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
      KAFKA_SASL_USERNAME: 'alice',
      KAFKA_SASL_PASSWORD: 's p',
    },
    (s) => s.kafka.sasl,
    { mechanism: 'scram-sha-512', username: 'alice', password: 's p' },
  ],
]
for (const [environment, pick, expected] of parsed) {
  test(`${JSON.stringify(environment)} is understood`, () => {
    assert.deepEqual(pick(readSettings(environment)), expected)
  })
}

const ADDRESS = 'it must be host:port, such as 127.0.0.1:9464'
const LEVELS = 'it must be one of trace, debug, info, warn, error, silent'
const MECHANISMS = 'it must be one of plain, scram-sha-256, scram-sha-512'
const SASL = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'alice' }
const KNOWN =
  'METERBRIDGE_DATA_DIR, METERBRIDGE_LISTEN, METERBRIDGE_SHOP_LISTEN, METERBRIDGE_BROKER_LISTEN, METERBRIDGE_LOG_LEVEL, METERBRIDGE_START_FROM, METERBRIDGE_CREATE_TOPICS'

const refused: [Environment, string][] = [
  [{ KAFKA_BROKERS: ',' }, 'KAFKA_BROKERS is ","; it must be host:port[,host:port…]'],
  [{ KAFKA_BROKERS: 'kafka' }, 'KAFKA_BROKERS is "kafka"; it must be host:port[,host:port…]'],
  [
    { KAFKA_BROKERS: 'a:1,b:99999' },
    'KAFKA_BROKERS is "b:99999"; it must be host:port[,host:port…]',
  ],
  [{ KAFKA_TLS: 'yes' }, 'KAFKA_TLS is "yes"; it must be one of true, false'],
  [
    { KAFKA_TLS_CA: '/nowhere/ca.pem' },
    'KAFKA_TLS_CA is "/nowhere/ca.pem"; it must be a file this user can read (ENOENT)',
  ],
  [
    { KAFKA_TLS_CERT: import.meta.filename },
    'KAFKA_TLS_KEY is not set; it must be a PEM file: a client certificate needs both KAFKA_TLS_CERT and KAFKA_TLS_KEY',
  ],
  [
    { KAFKA_TLS_KEY: import.meta.filename },
    'KAFKA_TLS_CERT is not set; it must be a PEM file: a client certificate needs both KAFKA_TLS_CERT and KAFKA_TLS_KEY',
  ],
  [{ KAFKA_SASL_MECHANISM: 'gssapi' }, `KAFKA_SASL_MECHANISM is "gssapi"; ${MECHANISMS}`],
  [{ KAFKA_SASL_USERNAME: 'alice' }, `KAFKA_SASL_MECHANISM is not set; ${MECHANISMS}`],
  [
    { KAFKA_SASL_MECHANISM: 'plain' },
    'KAFKA_SASL_USERNAME is not set; it must be the user name for SASL',
  ],
  [
    SASL,
    'KAFKA_SASL_PASSWORD is not set; it must be the password for SASL, or KAFKA_SASL_PASSWORD_FILE with the path of a file that holds it',
  ],
  [
    { ...SASL, KAFKA_SASL_PASSWORD_FILE: '/nowhere/password' },
    'KAFKA_SASL_PASSWORD_FILE is "/nowhere/password"; it must be a file this user can read (ENOENT)',
  ],
  [{ METERBRIDGE_LISTEN: '9464' }, `METERBRIDGE_LISTEN is "9464"; ${ADDRESS}`],
  [{ METERBRIDGE_SHOP_LISTEN: 'a:0' }, `METERBRIDGE_SHOP_LISTEN is "a:0"; ${ADDRESS}`],
  [
    { METERBRIDGE_BROKER_LISTEN: 'http://a:1' },
    `METERBRIDGE_BROKER_LISTEN is "http://a:1"; ${ADDRESS}`,
  ],
  [{ METERBRIDGE_LOG_LEVEL: 'loud' }, `METERBRIDGE_LOG_LEVEL is "loud"; ${LEVELS}`],
  [
    { METERBRIDGE_START_FROM: '17' },
    'METERBRIDGE_START_FROM is "17"; it must be one of earliest, latest',
  ],
  [
    { METERBRIDGE_CREATE_TOPICS: '1' },
    'METERBRIDGE_CREATE_TOPICS is "1"; it must be one of true, false',
  ],
  [
    { METERBRIDGE_LISTN: '127.0.0.1:1' },
    `METERBRIDGE_LISTN is no variable of meterbridge; known are ${KNOWN}`,
  ],
  [
    { KAFKA_BROKER: 'a:1' },
    'KAFKA_BROKER is no variable of meterbridge; KAFKA_BROKERS is probably meant',
  ],
  [
    { KAFKA_SASL_USER_NAME: 'a' },
    'KAFKA_SASL_USER_NAME is no variable of meterbridge; KAFKA_SASL_USERNAME is probably meant',
  ],
  [
    { KAFKA_TLS_CRT: 'a' },
    'KAFKA_TLS_CRT is no variable of meterbridge; KAFKA_TLS_CERT is probably meant',
  ],
]
for (const [environment, sentence] of refused) {
  test(`${JSON.stringify(environment)} is refused`, () => {
    assert.equal(refusal(environment), sentence)
  })
}

test('what Kubernetes injects for a service named meterbridge is let through', () => {
  const injected = {
    METERBRIDGE_SERVICE_HOST: '10.0.0.1',
    METERBRIDGE_SERVICE_PORT: '9464',
    METERBRIDGE_SERVICE_PORT_METRICS: '9464',
    METERBRIDGE_PORT: 'tcp://10.0.0.1:9464',
    METERBRIDGE_PORT_9464_TCP: 'tcp://10.0.0.1:9464',
    METERBRIDGE_PORT_9464_TCP_ADDR: '10.0.0.1',
    METERBRIDGE_SHOP_SERVICE_HOST: '10.0.0.2',
  }
  assert.deepEqual(readSettings(injected), readSettings({}))
})

test('what Kubernetes injects for a service named kafka is let through, and what other programs read', () => {
  const others = {
    KAFKA_SERVICE_HOST: '10.0.0.1',
    KAFKA_PORT: 'tcp://10.0.0.1:9092',
    KAFKA_PORT_9092_TCP: 'tcp://10.0.0.1:9092',
    KAFKA_OPTS: '-Xmx1g',
    KAFKA_HEAP_OPTS: '-Xmx1g',
    KAFKA_NODE_ID: '1',
    KAFKA_URL: 'a:1',
    KAFKA_HOME: '/opt/kafka',
  }
  assert.deepEqual(readSettings(others), readSettings({}))
})

test('secrets come from files, without the line end that editors add', () => {
  using folder = temporaryFolder()
  const file = (name: string, content: string) => {
    writeFileSync(join(folder.path, name), content)
    return join(folder.path, name)
  }
  const { kafka } = readSettings({
    ...SASL,
    KAFKA_SASL_PASSWORD_FILE: file('password', 'from a file\n'),
    KAFKA_TLS_CA: file('ca.pem', 'the authority\n'),
    KAFKA_TLS_CERT: file('cert.pem', 'the certificate\n'),
    KAFKA_TLS_KEY: file('key.pem', 'the key\n'),
  })
  assert.equal(kafka.sasl?.password, 'from a file')
  assert.deepEqual(kafka.tls, {
    ca: 'the authority\n',
    cert: 'the certificate\n',
    key: 'the key\n',
  })
})

test('a service that needs a cluster says so when none is named', () => {
  assert.throws(() => requireBrokers(readSettings({})), {
    name: 'StartError',
    message:
      'KAFKA_BROKERS is not set; name the cluster, as in KAFKA_BROKERS=localhost:9092, or run `npm start`, which brings a development broker',
  })
  requireBrokers(readSettings({ KAFKA_BROKERS: 'localhost:9092' }))
})
