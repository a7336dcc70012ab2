import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { StartError } from '../runtime/start-error.ts'
import { nearestName } from './misspelt.ts'

export type LogLevel = (typeof LOG_LEVELS)[number]
export type SaslMechanism = (typeof SASL_MECHANISMS)[number]
export type StartFrom = (typeof START_FROM)[number]
export type Address = { host: string; port: number }

export type KafkaSettings = {
  /** Empty: `KAFKA_BROKERS` is not set. */
  brokers: string[]
  /** False, or the TLS files' contents (PEM). */
  tls: false | { ca?: string; cert?: string; key?: string }
  sasl?: { mechanism: SaslMechanism; username: string; password: string }
  groupId?: string
}

export type Settings = {
  kafka: KafkaSettings
  dataDir: string
  listen: Address
  shopListen: Address
  brokerListen: Address
  logLevel: LogLevel
  startFrom: StartFrom
  createTopics: boolean
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const
const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const
const START_FROM = ['earliest', 'latest'] as const
const SWITCH = ['true', 'false'] as const

const KNOWN = [
  'METERBRIDGE_DATA_DIR',
  'METERBRIDGE_LISTEN',
  'METERBRIDGE_SHOP_LISTEN',
  'METERBRIDGE_BROKER_LISTEN',
  'METERBRIDGE_LOG_LEVEL',
  'METERBRIDGE_START_FROM',
  'METERBRIDGE_CREATE_TOPICS',
]
const KNOWN_KAFKA = [
  'KAFKA_BROKERS',
  'KAFKA_GROUP_ID',
  'KAFKA_TLS',
  'KAFKA_TLS_CA',
  'KAFKA_TLS_CERT',
  'KAFKA_TLS_KEY',
  'KAFKA_SASL_MECHANISM',
  'KAFKA_SASL_USERNAME',
  'KAFKA_SASL_PASSWORD',
  'KAFKA_SASL_PASSWORD_FILE',
]
/** Kubernetes injects METERBRIDGE_SERVICE_HOST, METERBRIDGE_PORT_9464_TCP and the like for a service named meterbridge, and so for one named kafka. */
const INJECTED = /^(METERBRIDGE|KAFKA)_(.*_)?(SERVICE|PORT)(_|$)/

type Environment = Record<string, string | undefined>

/**
 * The configuration of every service, from the environment (README, 'Variables').
 *
 * @throws StartError naming the variable, its value and what would do.
 */
export function readSettings(environment: Environment): Settings {
  const get = (name: string) => environment[name]?.trim() || undefined
  for (const name of Object.keys(environment)) checkName(name)
  const oneOf = <T extends string>(name: string, allowed: readonly T[], otherwise: T): T => {
    const value = get(name)?.toLowerCase() ?? otherwise
    const found = allowed.find((candidate) => candidate === value)
    return found ?? refuse(name, environment[name], `one of ${allowed.join(', ')}`)
  }
  const dataDir = resolve(get('METERBRIDGE_DATA_DIR') ?? 'data')
  return {
    kafka: readKafka(get, oneOf),
    dataDir,
    listen: readAddress('METERBRIDGE_LISTEN', get, '127.0.0.1:9464'),
    shopListen: readAddress('METERBRIDGE_SHOP_LISTEN', get, '127.0.0.1:3000'),
    brokerListen: readAddress('METERBRIDGE_BROKER_LISTEN', get, '127.0.0.1:9092'),
    logLevel: oneOf('METERBRIDGE_LOG_LEVEL', LOG_LEVELS, 'info'),
    startFrom: oneOf('METERBRIDGE_START_FROM', START_FROM, 'earliest'),
    createTopics: oneOf('METERBRIDGE_CREATE_TOPICS', SWITCH, 'false') === 'true',
  }
}

/** KAFKA_… is not ours alone, so of these only what was probably meant for us is refused. */
function checkName(name: string) {
  if (INJECTED.test(name)) return
  if (name.startsWith('METERBRIDGE_') && !KNOWN.includes(name)) {
    throw new StartError(`${name} is no variable of meterbridge; known are ${KNOWN.join(', ')}`)
  }
  if (!name.startsWith('KAFKA_') || KNOWN_KAFKA.includes(name)) return
  const meant = nearestName(name, KNOWN_KAFKA)
  if (meant)
    throw new StartError(`${name} is no variable of meterbridge; ${meant} is probably meant`)
}

/** Loads `.env` from the working directory into the environment; what is set already stays. */
export function loadDotEnv() {
  try {
    process.loadEnvFile(join(process.cwd(), '.env'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw new StartError(`cannot read .env (${(error as Error).message}); mend or remove it`)
    }
  }
}

/** @throws StartError when no cluster is named. */
export function requireBrokers(settings: Settings) {
  if (settings.kafka.brokers.length > 0) return
  throw new StartError(
    'KAFKA_BROKERS is not set; name the cluster, as in KAFKA_BROKERS=localhost:9092, or run `npm start`, which brings a development broker',
  )
}

type Get = (name: string) => string | undefined
type OneOf = <T extends string>(name: string, allowed: readonly T[], otherwise: T) => T

function readKafka(get: Get, oneOf: OneOf): KafkaSettings {
  const brokers = (get('KAFKA_BROKERS') ?? '').split(',').map((broker) => broker.trim())
  const named = brokers.filter(Boolean)
  const given = get('KAFKA_BROKERS')
  if (given && named.length === 0) refuse('KAFKA_BROKERS', given, 'host:port[,host:port…]')
  for (const broker of named) parseAddress('KAFKA_BROKERS', broker, 'host:port[,host:port…]')
  const groupId = get('KAFKA_GROUP_ID')
  const ca = readFileOf('KAFKA_TLS_CA', get)
  const cert = readFileOf('KAFKA_TLS_CERT', get)
  const key = readFileOf('KAFKA_TLS_KEY', get)
  if (!cert !== !key) {
    refuse(
      cert ? 'KAFKA_TLS_KEY' : 'KAFKA_TLS_CERT',
      undefined,
      'a PEM file: a client certificate needs both KAFKA_TLS_CERT and KAFKA_TLS_KEY',
    )
  }
  const tls = oneOf('KAFKA_TLS', SWITCH, ca || cert ? 'true' : 'false') === 'true'
  const sasl = readSasl(get, oneOf)
  return {
    brokers: named,
    tls: tls ? { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) } : false,
    ...(sasl && { sasl }),
    ...(groupId && { groupId }),
  }
}

function readSasl(get: Get, oneOf: OneOf): KafkaSettings['sasl'] {
  const username = get('KAFKA_SASL_USERNAME')
  const password = get('KAFKA_SASL_PASSWORD') ?? readFileOf('KAFKA_SASL_PASSWORD_FILE', get)?.trim()
  if (!get('KAFKA_SASL_MECHANISM')) {
    if (!username && !password) return undefined
    return refuse('KAFKA_SASL_MECHANISM', undefined, `one of ${SASL_MECHANISMS.join(', ')}`)
  }
  const mechanism = oneOf('KAFKA_SASL_MECHANISM', SASL_MECHANISMS, 'plain')
  if (!username) return refuse('KAFKA_SASL_USERNAME', undefined, 'the user name for SASL')
  if (!password) {
    return refuse(
      'KAFKA_SASL_PASSWORD',
      undefined,
      'the password for SASL, or KAFKA_SASL_PASSWORD_FILE with the path of a file that holds it',
    )
  }
  return { mechanism, username, password }
}

function readFileOf(name: string, get: Get): string | undefined {
  const path = get(name)
  if (!path) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    return refuse(
      name,
      path,
      `a file this user can read (${(error as NodeJS.ErrnoException).code})`,
    )
  }
}

function readAddress(name: string, get: Get, otherwise: string): Address {
  return parseAddress(name, get(name) ?? otherwise, 'host:port, such as 127.0.0.1:9464')
}

function parseAddress(name: string, value: string, wanted: string): Address {
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})$/.exec(value)
  const port = Number(match?.[2])
  if (!match?.[1] || port < 1 || port > 65_535) return refuse(name, value, wanted)
  return { host: match[1].replace(/^\[|\]$/g, ''), port }
}

function refuse(name: string, value: string | undefined, wanted: string): never {
  const is = value === undefined ? 'is not set' : `is ${JSON.stringify(value)}`
  throw new StartError(`${name} ${is}; it must be ${wanted}`)
}
