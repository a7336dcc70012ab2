import type { ReadOnlyStore } from '../../store/read-only.ts'
import type { Source } from './numbers.ts'

export const COUNTS = [
  'accepted',
  'rejected',
  'duplicate',
  'lost',
  'recovered',
  'redriven',
] as const
export type Counts = Record<(typeof COUNTS)[number], number>

/** What a store says of one partition, in the newest incarnation of its topic. */
export type Figures = {
  topic: string
  partition: number
  incarnation: number
  stream: string
  start: number
  position: number
  counts: Counts
  undelivered: number
  previousTimeMs: number
  fingerprint: { offset: number; hash: string } | undefined
  sources: Map<string, Source>
  /** By `<measure> <labels>`. */
  series: Map<string, bigint>
  /** By `<minute in ms> <column>`. */
  minutes: Map<string, bigint>
  sealedMs: number
  /** Measures and columns, each with the events that were counted before it was added. */
  names: Map<string, bigint>
  /** Dead letters that are kept, by offset. */
  letters: Map<number, { reason: string; redriven: boolean }>
  /** Dead letters of the topic that are not kept. */
  evicted: number
}

/** Reads all partitions in one moment. */
export function readFigures(store: ReadOnlyStore): Figures[] {
  return store.transaction(() => {
    const rows = store
      .prepare<[], Row>(
        `select p.*, coalesce(s.sealed_before_ms, 0) as sealed, coalesce(e.letters, 0) as evicted
        from partitions p left join streams s using (stream) left join evictions e using (topic)
        where incarnation =
          (select max(incarnation) from partitions where topic = p.topic and partition = p.partition)
        order by topic, partition`,
      )
      .all()
    return rows.map((row) => figuresOf(store, row))
  })()
}

type Row = Record<string, bigint | null> & {
  topic: string
  stream: string
  fingerprint_hash: string
}

function figuresOf(store: ReadOnlyStore, row: Row): Figures {
  const { topic, stream } = row
  const number = (name: string) => Number(row[name])
  const key = { topic, stream, partition: number('partition'), incarnation: number('incarnation') }
  const sums = (sql: string) => {
    const rows = store.prepare<[object], { name: string; value: bigint }>(sql).all(key)
    return new Map(rows.map(({ name, value }) => [name, value]))
  }
  return {
    ...key,
    start: number('start'),
    position: number('position'),
    counts: Object.fromEntries(COUNTS.map((name) => [name, number(name)])) as Counts,
    undelivered: number('undelivered'),
    previousTimeMs: number('previous_time_ms'),
    fingerprint:
      row.fingerprint_offset === null
        ? undefined
        : { offset: number('fingerprint_offset'), hash: row.fingerprint_hash },
    sources: readSources(store, key),
    series:
      sums(`select measure || ' ' || labels as name, value from series where partition = @partition
      and measure in (select name from definitions where stream = @stream and kind = 'measure' and removed = 0)`),
    minutes: sums(`select minute_ms || ' ' || "column" as name, value from minutes
      where stream = @stream and partition = @partition and "column" in
        (select name from definitions where stream = @stream and kind = 'column' and removed = 0)`),
    sealedMs: number('sealed'),
    names: sums(`select kind || ' ' || name as name, events_before as value from definitions
      where stream = @stream and kind <> 'stream' and removed = 0`),
    letters: readLetters(store, key),
    evicted: number('evicted'),
  }
}

type Key = { topic: string; partition: number; incarnation: number }
const OF = 'topic = @topic and partition = @partition and incarnation = @incarnation'

function readSources(store: ReadOnlyStore, key: Key): Figures['sources'] {
  const rows = store
    .prepare<[Key], { source: string; last: bigint; gaps: string; seen: bigint }>(
      `select source, last, gaps, seen from sources where ${OF}`,
    )
    .all(key)
  return new Map(
    rows.map(({ source, last, gaps, seen }) => {
      const open = (JSON.parse(gaps) as { from: number; to: number }[]).map(
        ({ from, to }): [number, number] => [from, to],
      )
      return [source, { last: Number(last), gaps: open, seen: Number(seen) }]
    }),
  )
}

function readLetters(store: ReadOnlyStore, key: Key): Figures['letters'] {
  const rows = store
    .prepare<[Key], { offset: bigint; reason: string; redriven: bigint }>(
      `select offset, reason, redriven_ms is not null as redriven from dead_letters where ${OF}`,
    )
    .all(key)
  return new Map(
    rows.map(({ offset, reason, redriven }) => [
      Number(offset),
      { reason, redriven: redriven === 1n },
    ]),
  )
}

/** What the same store said before it had read anything of the partition. */
export function beforeAll({
  topic,
  partition,
  incarnation,
  stream,
  start,
  sealedMs,
}: Figures): Figures {
  return {
    ...{ topic, partition, incarnation, stream, start, sealedMs },
    position: start,
    counts: { accepted: 0, rejected: 0, duplicate: 0, lost: 0, recovered: 0, redriven: 0 },
    undelivered: 0,
    previousTimeMs: 0,
    fingerprint: undefined,
    sources: new Map(),
    series: new Map(),
    minutes: new Map(),
    names: new Map(),
    letters: new Map(),
    evicted: 0,
  }
}
