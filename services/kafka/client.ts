import { Kafka, type LogEntry, logLevel, type RetryOptions, type SASLOptions } from 'kafkajs'
import type { Logger } from '../runtime/logger.ts'
import { StartError } from '../runtime/start-error.ts'
import type { KafkaSettings } from '../settings/settings.ts'

const CONNECTION_TIMEOUT_MS = 3_000
const REQUEST_TIMEOUT_MS = 10_000
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
  try {
    await admin.connect()
    await admin.describeCluster()
  } catch (error) {
    throw unreachable(kafka, error as Error)
  } finally {
    await admin.disconnect().catch(() => {})
  }
}

/** The sentence for a cluster that does not answer at start; a StartError stays what it is. */
export function unreachable(kafka: KafkaSettings, error: Error): StartError {
  if (error instanceof StartError) return error
  return new StartError(
    `cannot reach Kafka at KAFKA_BROKERS=${kafka.brokers.join(',')} (${error.message}); start it, or correct the address, KAFKA_TLS and KAFKA_SASL_…`,
  )
}

/** kafkajs reports what it will retry as ERROR; only what ends a consumer reaches people otherwise. */
function forward(logger: Logger, { level, log, namespace }: LogEntry) {
  const { message, timestamp: _, logger: __, stack: ___, ...details } = log
  const line = { kafkajs: namespace, ...details }
  if (level <= logLevel.WARN) logger.warn(line, message)
  else logger.debug(line, message)
}
