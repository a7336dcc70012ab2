import { Kafka, logLevel } from 'kafkajs'
import { FETCH } from '../../services/bridge/source/source.ts'
import { cpuSecondsOf, peakRssMiBOf } from '../process.ts'
import type { Run } from '../run.ts'
import { addOrder, type Sums } from './orders.ts'

/**
 * A process that reads a topic to its end with bare kafkajs and prints what it took (Run) as JSON.
 * Arguments: `noop` or `sums`, the brokers, the topic, the number of records.
 */
const [mode, brokers = '', topic = '', countText] = process.argv.slice(2)
const count = Number(countText)
const sums: Sums = [0, 0, 0, 0, 0, 0]
let read = 0
let first: { events: number; atMs: number; cpuSeconds: number } | undefined

const kafka = new Kafka({ brokers: [brokers], logLevel: logLevel.NOTHING })
const consumer = kafka.consumer({ groupId: `bench-${process.pid}`, ...FETCH })
await consumer.connect()
await consumer.subscribe({ topics: [topic], fromBeginning: true })
await consumer.run({
  autoCommit: false,
  eachBatch: async ({ batch }) => {
    if (mode === 'sums') {
      for (const { value } of batch.messages) addOrder(sums, value?.toString() ?? '')
    }
    read += batch.messages.length
    first ??= { events: read, atMs: performance.now(), cpuSeconds: cpuSecondsOf(process.pid) }
    if (read === count) finish(first)
  },
})

function finish(start: NonNullable<typeof first>) {
  const seconds = (performance.now() - start.atMs) / 1000
  const run: Run = {
    events: count - start.events,
    seconds,
    cpuSeconds: cpuSecondsOf(process.pid) - start.cpuSeconds,
    peakRssMiB: peakRssMiBOf(process.pid),
    ...(mode === 'sums' && { sums }),
  }
  process.stdout.write(`${JSON.stringify(run)}\n`, () => process.exit(0))
}
