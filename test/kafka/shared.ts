import { after } from 'node:test'
import { missingForKafka } from './distribution.ts'
import { type KafkaAddresses, type RunningKafka, startKafka } from './server.ts'

/** `skip` is false, or the reason to hand to `test(name, { skip }, …)`; the addresses are empty then. */
export type SharedKafka = KafkaAddresses & { skip: string | false }

const NOWHERE: KafkaAddresses = {
  brokers: '',
  sasl: { brokers: '', username: '', password: '' },
  tls: { ca: '' },
}

let own: Promise<RunningKafka> | undefined

/**
 * The Apache Kafka that the tests of a run share. Others use it at the same time: make topics and
 * groups of your own, and leave it running. Call it at the top of a test file:
 *
 *     const kafka = await useKafka()
 *     test('…', { skip: kafka.skip }, async () => { … kafka.brokers … })
 *
 * @throws Error where it cannot run and `CI=true`: there, nothing may be skipped.
 */
export async function useKafka(): Promise<SharedKafka> {
  const shared = process.env.TEST_KAFKA
  if (shared) return { ...(JSON.parse(shared) as KafkaAddresses), skip: false }

  const missing = missingForKafka()
  if (missing && process.env.CI === 'true') throw new Error(missing)
  if (missing) return { ...NOWHERE, skip: missing }

  if (!own) {
    own = startKafka()
    after(async () => (await own)?.stop())
  }
  const { brokers, sasl, tls } = await own
  return { brokers, sasl, tls, skip: false }
}
