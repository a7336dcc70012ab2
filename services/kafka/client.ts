// Mends what it imports.
import './connection.ts'
import { Kafka, type LogEntry, logLevel, type RetryOptions, type SASLOptions } from 'kafkajs'
import { within } from '../runtime/deadline.ts'
import { EXIT } from '../runtime/exit-codes.ts'
import type { Logger } from '../runtime/logger.ts'
import { StartError } from '../runtime/start-error.ts'
import type { KafkaSettings } from '../settings/settings.ts'

const CONNECTION_TIMEOUT_MS = 3_000
const REQUEST_TIMEOUT_MS = 10_000
/** A start does not wait longer to hear from Kafka: it may be stopped, with its port open. */
const REACHABLE_DEADLINE_MS = 15_000
const DISCONNECT_DEADLINE_MS = 1_000
/** kafkajs's own lines that only a person can act on; all others tell of what is tried again anyway. */
const FOR_PEOPLE = ['Failed to execute listener', 'Consumer group received unsubscribed topics']
const PATIENT: RetryOptions = { retries: 100_000, initialRetryTime: 100, maxRetryTime: 2_000 }

/**
 * A kafkajs client for the configured cluster. It waits out any outage: with the default retries a
 * consumer restarts once per outage and comes back up to 25 s late.
 *
 * @param retry for a caller that retries by itself. What is given to `admin()` or `producer()` is not
 * enough: kafkajs connects with the client's own.
 */
export function createKafka(
  kafka: KafkaSettings,
  clientId: string,
  logger: Logger,
  retry: RetryOptions = PATIENT,
): Kafka {
  return new Kafka({
    clientId,
    brokers: kafka.brokers,
    ssl: kafka.tls && {
      ...(kafka.tls.ca && { ca: [kafka.tls.ca] }),
      ...(kafka.tls.cert && { cert: kafka.tls.cert }),
      ...(kafka.tls.key && { key: kafka.tls.key }),
    },
    ...(kafka.sasl && { sasl: kafka.sasl as SASLOptions }),
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry,
    logLevel: logLevel.INFO,
    logCreator: () => (entry) => forward(logger, entry),
  })
}

/**
 * Connects once, with few retries, so that a cluster that is not there is told at start and not waited for.
 *
 * @throws StartError naming the brokers, the cause and the mend.
 */
export async function checkReachable(kafka: KafkaSettings, clientId: string, logger: Logger) {
  const admin = createKafka(kafka, clientId, logger, {
    retries: 2,
    initialRetryTime: 200,
    maxRetryTime: 1_000,
  }).admin()
  const asked = admin.connect().then(() => admin.describeCluster())
  try {
    await within(asked, REACHABLE_DEADLINE_MS, 'an answer')
  } catch (error) {
    throw unreachable(kafka, error as Error)
  } finally {
    await within(admin.disconnect(), DISCONNECT_DEADLINE_MS, 'disconnecting').catch(() => {})
  }
}

/** The sentence for a cluster that does not answer at start; a StartError stays what it is. */
export function unreachable(kafka: KafkaSettings, error: Error): StartError {
  if (error instanceof StartError) return error
  return new StartError(
    `cannot reach Kafka at KAFKA_BROKERS=${kafka.brokers.join(',')} (${error.message}); start it, or correct the address, KAFKA_TLS and KAFKA_SASL_…`,
    EXIT.kafkaUnreachable,
  )
}

/** kafkajs tells of every try on every connection; its callers say once what it comes to. */
function forward(logger: Logger, { log, namespace }: LogEntry) {
  const { message, timestamp: _, logger: __, stack: ___, ...details } = log
  const line = { kafkajs: namespace, ...details }
  if (FOR_PEOPLE.some((start) => message.startsWith(start))) logger.warn(line, message)
  else logger.debug(line, message)
}
