/** What holds of every store, at every moment. docs/reliability.md lists the same, for a copied database. */
export type Invariant = {
  name: string
  sentence: string
  /** One statement; a row (`place`, `expected`, `found`) for each place where it does not hold. */
  sql: string
}

export const INVARIANTS: readonly Invariant[] = [
  {
    name: 'accounting',
    sentence: 'What became of the offsets of a partition adds up to how far it was read.',
    sql: `
select topic || '/' || partition || ', incarnation ' || incarnation as place,
  position - start as expected,
  accepted + rejected + duplicate + undelivered + skipped as found
from partitions
where found <> expected`,
  },
  {
    name: 'counts',
    sentence:
      'No count is below 0, no more came back than was lost, no more was redriven than was rejected.',
    sql: `
select topic || '/' || partition || ', incarnation ' || incarnation as place,
  '0 or more' as expected,
  min(position - start, accepted, rejected, duplicate, undelivered, skipped, lost,
    recovered, redriven, lost - recovered, rejected - redriven) as found
from partitions
where found < 0`,
  },
  {
    name: 'rejections',
    sentence: 'The rejections of a topic by reason add up to those of its partitions.',
    sql: `
with counted as (
  select topic, sum(rejected) as records, 0 as by_reason from partitions group by topic
  union all
  select topic, 0, sum(records) from rejections group by topic
)
select topic as place, sum(records) as expected, sum(by_reason) as found
from counted
group by topic
having found <> expected`,
  },
  {
    name: 'dead letters',
    sentence: 'No more dead letters are kept and evicted than records were rejected.',
    sql: `
with letters as (
  select topic, records from dead_letters
  union all
  select topic, letters from evictions
)
select topic as place,
  'at most ' || (select coalesce(sum(rejected), 0) from partitions where topic = letters.topic) as expected,
  sum(records) as found
from letters
group by topic
having found > (select coalesce(sum(rejected), 0) from partitions where topic = letters.topic)`,
  },
  {
    name: 'gaps',
    sentence:
      'The gaps that are open in the numbers of the sources of a partition are among its losses.',
    sql: `
with gaps as (
  select s.topic, s.partition, s.incarnation,
    sum(g.value ->> 'to' - (g.value ->> 'from') + 1) as missing
  from sources s, json_each(s.gaps) g
  group by s.topic, s.partition, s.incarnation
)
select topic || '/' || partition || ', incarnation ' || incarnation as place,
  'at most ' || (coalesce(lost, 0) - coalesce(recovered, 0)) as expected,
  missing as found
from gaps left join partitions using (topic, partition, incarnation)
where missing > coalesce(lost, 0) - coalesce(recovered, 0)`,
  },
  {
    name: 'gaps below the last number',
    sentence:
      'A gap lies below the last number of its source, and every source is of a partition that was read.',
    sql: `
select s.topic || '/' || s.partition || ', source ' || s.source as place,
  'gaps below ' || s.last || ', last seen below ' || coalesce(p.position, 0) as expected,
  s.gaps || ', last seen ' || s.seen as found
from sources s left join partitions p using (topic, partition, incarnation)
where s.seen >= coalesce(p.position, 0)
  or exists (
    select 1 from json_each(s.gaps) g
    where g.value ->> 'from' < 1 or g.value ->> 'from' > g.value ->> 'to' or g.value ->> 'to' >= s.last
  )`,
  },
  {
    name: 'events',
    sentence:
      'A measure of records is the events of its stream: accepted and redriven, less those before it was added.',
    sql: `
with events as (
  select stream, sum(accepted + redriven) as records from partitions group by stream
), totals as (
  select measure, sum(value) as value from series group by measure
)
select d.stream || ' ' || d.name as place,
  coalesce(e.records, 0) - d.events_before as expected,
  coalesce(t.value, 0) as found
from definitions d
  left join events e on e.stream = d.stream
  left join totals t on t.measure = d.name
where d.kind = 'measure' and d.removed = 0 and d.meaning ->> 'unit' = 'records'
  and found <> expected`,
  },
  {
    name: 'columns',
    sentence:
      'The total of a column is its baseline and its minutes: the series of its measure that fit its filter.',
    sql: `
with columns as (
  select stream, name, meaning ->> 'measure' as measure, meaning -> 'where' as filter
  from definitions
  where kind = 'column' and removed = 0
), totals as (
  select c.stream, c.name, sum(s.value) as value
  from columns c join series s on s.measure = c.measure
  where not exists (
    select 1 from json_each(c.filter) f
    where json_extract(s.labels, '$."' || f.key || '"') is not f.value
  )
  group by c.stream, c.name
), kept as (
  select stream, "column" as name, value from baselines
  union all
  select stream, "column", value from minutes
), sums as (
  select stream, name, sum(value) as value from kept group by stream, name
)
select c.stream || ' ' || c.name as place,
  coalesce(t.value, 0) as expected,
  coalesce(s.value, 0) as found
from columns c left join totals t using (stream, name) left join sums s using (stream, name)
where found <> expected`,
  },
  {
    name: 'names',
    sentence: 'Every number stands under a name that a definition gave it.',
    sql: `
with named as (
  select distinct 'column' as kind, stream, "column" as name from minutes
  union
  select 'column', stream, "column" from baselines
  union
  select distinct 'measure', null, measure from series
)
select n.kind || ' ' || n.name as place, 'a definition' as expected, 'none' as found
from named n
where not exists (
  select 1 from definitions d
  where d.kind = n.kind and d.name = n.name and d.stream = coalesce(n.stream, d.stream)
)`,
  },
  {
    name: 'sealed days',
    sentence: 'No minute lies in a sealed day, and each is the start of a minute.',
    sql: `
select m.stream || ' ' || datetime(m.minute_ms / 1000, 'unixepoch') as place,
  'whole minutes from ' || datetime(coalesce(s.sealed_before_ms, 0) / 1000, 'unixepoch') as expected,
  m.minute_ms as found
from (select distinct stream, minute_ms from minutes) m left join streams s using (stream)
where s.stream is null or m.minute_ms < s.sealed_before_ms or m.minute_ms % 60000 <> 0`,
  },
  {
    name: 'exact sums',
    sentence: 'Every sum is a whole number of at most 64 bits and not below 0.',
    sql: `
with sums as (
  select measure || ' ' || labels as place, value from series
  union all
  select stream || ' ' || "column" || ', baseline', value from baselines
  union all
  select stream || ' ' || "column" || ', minute ' || minute_ms, value from minutes
)
select place, 'a whole number, 0 or more' as expected, value as found
from sums
where typeof(value) <> 'integer' or value < 0`,
  },
]
