import type { Admin, Kafka } from 'kafkajs'
import type { ReadOnlyStore } from '../../store/read-only.ts'
import type { StreamDefinition } from '../../streams/index.ts'
import type { Findings } from '../report.ts'
import { type Base, createBases } from './base.ts'
import { addedSince, compareCounts, compareSums, placeOf, type Recounted } from './compare.ts'
import { Recount } from './count.ts'
import { type Figures, readFigures } from './figures.ts'
import { type LogCluster, type PlainLog, readLog } from './log.ts'

export type RecountFindings = Findings & { recounted: Recounted[] }

export type RecountOptions = {
  store: ReadOnlyStore
  dataDir: string
  streams: readonly StreamDefinition[]
  kafka: Kafka
  cluster: LogCluster
}

/** Counts each partition again, from Kafka, up to the position that is stored now, and compares. */
export async function recount(options: RecountOptions): Promise<RecountFindings> {
  const { store, dataDir, streams, kafka, cluster } = options
  const found: RecountFindings = { differences: [], notes: [], recounted: [] }
  // First of all: what is counted from now on is not asked for.
  const stored = readFigures(store)
  const baseOf = createBases(dataDir, found.notes)
  const admin = kafka.admin()
  await admin.connect()
  try {
    for (const now of stored) {
      const stream = streams.find(({ name }) => name === now.stream)
      const bounds = stream && (await boundsOf(admin, now))
      const base = bounds && baseOf(now, bounds.low)
      const why = !stream
        ? 'its stream is not defined'
        : !bounds
          ? 'Kafka does not have it'
          : bounds.high < now.position
            ? `Kafka ends at ${bounds.high}, before the position ${now.position}`
            : `Kafka begins at ${bounds.low}, and no checkpoint reaches there`
      if (base && bounds!.high >= now.position) await compare(stream!, base, now, cluster, found)
      else found.notes.push({ where: placeOf(now), note: `not checkable: ${why}` })
    }
  } finally {
    await admin.disconnect()
  }
  return found
}

/** What Kafka has of a partition. Undefined: nothing. */
async function boundsOf(admin: Admin, { topic, partition }: Figures) {
  const all = await admin.fetchTopicOffsets(topic).catch((error) => {
    if (error.type === 'UNKNOWN_TOPIC_OR_PARTITION') return []
    throw error
  })
  const bounds = all.find((one) => one.partition === partition)
  return bounds && { low: Number(bounds.low), high: Number(bounds.high) }
}

async function compare(
  stream: StreamDefinition,
  { since, figures: base, totalsKnown }: Base,
  now: Figures,
  cluster: LogCluster,
  found: RecountFindings,
) {
  const counted = new Recount(stream, base, now)
  const tell = (note: string) => found.notes.push({ where: placeOf(now), note })
  const { topic, partition, incarnation } = now
  await cluster.addTargetTopic(topic)
  const log = readLog(cluster, topic, partition, base.position, now.position)
  const passed = await countAll(log, counted).catch((error: Error) => error)
  if (passed instanceof Error) {
    if (isOfKafka(passed)) throw passed
    return void tell(`not checkable: it cannot be read again (${passed.message})`)
  }
  const doubt = doubtOf(base, now, counted, passed)
  const differences = compareCounts(base, now, counted)
  if (totalsKnown) differences.push(...compareSums(base, now, counted))
  else tell('only its counts since the topic was made anew are compared, no totals')
  const { accepted, rejected, duplicate, redriven } = counted.counts
  const counts = { accepted, rejected, duplicate, redriven, validNow: counted.validNow }
  const range = { from: base.position, to: now.position, since }
  found.recounted.push({ topic, partition, incarnation, ...range, ...counts })
  if (base.position > now.start) tell(`compared only from ${base.position}, ${since}`)
  if (counted.validNow > 0) tell(`${counted.validNow} rejected records are valid now, not redriven`)
  for (const name of addedSince(base, now)) tell(`${name} is not compared: it was added later`)
  if (differences.length > 0 && doubt) tell(`not checkable: ${doubt}`)
  else found.differences.push(...differences)
}

async function countAll(log: PlainLog, counted: Recount) {
  for (;;) {
    const step = await log.next()
    if (step.done) return step.value
    for (const record of step.value) counted.add(record)
  }
}

/** Kafka did not answer. What is not there any more, or cannot be decoded, is another matter. */
function isOfKafka({ name }: Error): boolean {
  return name.startsWith('KafkaJS') && name !== 'KafkaJSOffsetOutOfRange'
}

/** Why a difference may be none. */
function doubtOf(
  base: Figures,
  now: Figures,
  counted: Recount,
  { withheld, holes }: { withheld: number; holes: number },
): string | undefined {
  if (counted.isOtherLog) return 'the log is not the one that was counted'
  if (holes > 0 && withheld + holes > now.undelivered - base.undelivered) {
    return 'Kafka has compacted records away since they were counted'
  }
  const undecoded = [...now.letters].some(
    ([offset, { reason }]) => offset >= base.position && reason === 'undecodable',
  )
  if (undecoded) return 'it holds a batch that the bridge could not decode'
  const early = [...now.letters].filter(
    ([offset, { redriven }]) =>
      offset < base.position && redriven && !base.letters.get(offset)?.redriven,
  )
  if (early.length > 0) return `${early.length} records from before were redriven since`
  if (now.evicted > 0 && counted.counts.accepted > now.counts.accepted - base.counts.accepted) {
    return 'records are valid now whose dead letters are not kept any more'
  }
  return undefined
}
