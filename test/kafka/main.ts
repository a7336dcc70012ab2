import { join } from 'node:path'
import { checkFree } from '../../services/runtime/check-free.ts'
import { lockFolder } from '../../services/runtime/lock.ts'
import { run } from '../../services/runtime/run.ts'
import { StartError } from '../../services/runtime/start-error.ts'
import { KAFKA_VERSION, missingForKafka, startKafka } from './kafka.ts'

const LOOPBACK = ['127.0.0.1', 'localhost']

/** `npm run kafka`: Apache Kafka on this machine for a person to try things with, its data kept. */
await run('kafka', async ({ settings, fail }) => {
  const { host, port } = settings.brokerListen
  if (!LOOPBACK.includes(host)) {
    throw new StartError(
      `METERBRIDGE_BROKER_LISTEN is "${host}:${port}"; this Kafka listens on 127.0.0.1 only, as in 127.0.0.1:${port}`,
    )
  }
  const missing = missingForKafka()
  if (missing) throw new StartError(`${missing}; install it, or use \`npm run broker\``)
  const ports = { plain: port, secure: port + 1, controller: port + 2 }
  for (const each of Object.values(ports)) {
    await checkFree({ host: '127.0.0.1', port: each }, 'METERBRIDGE_BROKER_LISTEN')
  }

  const folder = join(settings.dataDir, 'kafka')
  const lock = lockFolder(folder, 'Kafka')
  process.stdout.write(`Starting Apache Kafka ${KAFKA_VERSION} …\n`)
  const kafka = await startKafka({ folder, ports, optimized: true })
  process.stdout.write(
    [
      `Apache Kafka ${KAFKA_VERSION} is ready.`,
      `  plaintext  KAFKA_BROKERS=${kafka.brokers}`,
      `  SASL_SSL   KAFKA_BROKERS=${kafka.sasl.brokers} KAFKA_TLS_CA=${kafka.tls.ca}`,
      `             KAFKA_SASL_MECHANISM=scram-sha-512 KAFKA_SASL_USERNAME=${kafka.sasl.username} KAFKA_SASL_PASSWORD=${kafka.sasl.password}`,
      `  data       ${folder}`,
      'Ctrl-C ends it.\n',
    ].join('\n'),
  )
  kafka.exited.then(() => fail(new StartError('Apache Kafka ended by itself; start it again')))
  const alive = setInterval(() => {}, 60_000) // Kafka's handles do not keep this process alive
  return {
    stop: async () => {
      clearInterval(alive)
      await kafka.stop()
      lock.release()
    },
  }
})
