import { stat, timeseries, yesNo } from './panel.ts'
import { growth, perMinute, series } from './query.ts'

const orders = series('shop_orders_total')
const value = series('shop_order_value_total')

const TODAY =
  'since midnight UTC, as the counter grew: equal to the sum of the file of the day, but for late events. ' +
  'Where Prometheus has nothing from the day before, since the store began.'

const caughtUp = `min(${series('meterbridge_caught_up')})`
// While Kafka's ends cannot be read, `caught_up` is an old answer.
const readSeconds = `max(time() - ${series('meterbridge_lag_read_timestamp_seconds')})`
// Neither is there when nothing waits, or when another producer than the shop writes the events.
const waitedSeconds = `max(time() - ${series('shop_outbox_oldest_timestamp_seconds')})`
const refused = `sum(${series('shop_outbox_set_aside_records')})`

export const selling = [
  stat({
    title: 'Orders today',
    description: `Orders ${TODAY}`,
    unit: 'locale',
    width: 4,
    today: true,
    queries: [{ expr: growth(orders), legend: 'orders' }],
  }),
  stat({
    title: 'Revenue today',
    description: `Total price of the orders, in the unit in which the shop writes prices, ${TODAY}`,
    unit: 'locale',
    width: 4,
    today: true,
    queries: [{ expr: growth(value), legend: 'revenue' }],
  }),
  stat({
    title: 'Units today',
    description: `Units ordered ${TODAY}`,
    unit: 'locale',
    width: 4,
    today: true,
    queries: [{ expr: growth(series('shop_ordered_units_total')), legend: 'units' }],
  }),
  stat({
    title: 'Prepaid or on credit today',
    description: `Orders by payment ${TODAY}`,
    unit: 'locale',
    width: 4,
    today: true,
    queries: [{ expr: growth(orders, ['payment']), legend: '{{payment}}' }],
  }),
  stat({
    title: 'These numbers are',
    description:
      'Complete: the bridge has counted all that is in Kafka, as read within a minute, nothing has waited in the shop for a minute, and Kafka refused nothing. ' +
      'What is shown is right also while it is incomplete: it is what was counted so far.',
    unit: 'none',
    width: 4,
    noValue: 'not known: no bridge answers',
    mappings: yesNo({ yes: 'complete', no: 'incomplete' }),
    queries: [
      {
        expr: `${caughtUp} * (${readSeconds} < bool 60) * ((${waitedSeconds} or vector(0)) < bool 60) * ((${refused} or vector(0)) == bool 0)`,
        legend: 'complete',
      },
    ],
  }),
  stat({
    title: 'Alerts firing',
    description: 'How many alerts fire now; each has a section in docs/runbook.md.',
    unit: 'short',
    width: 4,
    badFrom: 1,
    queries: [{ expr: 'count(ALERTS{alertstate="firing"}) or vector(0)', legend: 'alerts' }],
  }),
  timeseries({
    title: 'Orders per minute',
    description:
      'By payment. After an outage what waited is counted at once, which shows as a peak here; ' +
      'the minute files have it in the minutes in which it happened.',
    unit: 'cpm',
    width: 12,
    stack: true,
    queries: [{ expr: perMinute(orders, ['payment']), legend: '{{payment}}' }],
  }),
  timeseries({
    title: 'Revenue per minute',
    description:
      'Total price of the orders, by payment, in the unit in which the shop writes prices.',
    unit: 'locale',
    width: 12,
    stack: true,
    queries: [{ expr: perMinute(value, ['payment']), legend: '{{payment}}' }],
  }),
]
