import { after } from 'node:test'
import { missingForKafka } from './distribution.ts'
import { type KafkaAddresses, startKafka } from './server.ts'

/** `skip` is false, or the reason to hand to `test(name, { skip }, …)`; the addresses are empty then. */
export type SharedKafka = KafkaAddresses & { skip: string | false }

const NOWHERE: KafkaAddresses = {
  brokers: '',
  sasl: { brokers: '', username: '', password: '' },
  tls: { ca: '' },
}

let sharedHere: Promise<SharedKafka> | undefined

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

  sharedHere ??= useOwnKafka()
  return sharedHere
}

/**
 * One more, for this test file alone: for topics with fixed names. Started here, stopped at the end of the
 * process's tests; otherwise as `useKafka`.
 */
export async function useOwnKafka(): Promise<SharedKafka> {
  const missing = missingForKafka()
  if (missing && process.env.CI === 'true') throw new Error(missing)
  if (missing) return { ...NOWHERE, skip: missing }

  const kafka = await startKafka()
  after(() => kafka.stop())
  const { brokers, sasl, tls } = kafka
  return { brokers, sasl, tls, skip: false }
}
