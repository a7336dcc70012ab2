/**
 * What dashboards and alerts may name: the metrics of the product, by the job that exposes them. That this
 * is what they really expose is held by scrape.test.ts.
 */
export const METRICS = {
  bridge: [
    'meterbridge_audit_differences',
    'meterbridge_audit_last_success_timestamp_seconds',
    'meterbridge_build_info',
    'meterbridge_caught_up',
    'meterbridge_closed_minute_timestamp_seconds',
    'meterbridge_consumer_lag_records',
    'meterbridge_data_free_bytes',
    'meterbridge_event_delay_seconds_bucket',
    'meterbridge_event_delay_seconds_count',
    'meterbridge_lag_read_timestamp_seconds',
    'meterbridge_late_events_total',
    'meterbridge_lost_records_total',
    'meterbridge_position',
    'meterbridge_records_total',
    'meterbridge_recovered_records_total',
    'meterbridge_rejected_records_total',
    'meterbridge_rollup_errors_total',
    'meterbridge_skipped_offsets_total',
    'shop_order_value_total',
    'shop_ordered_units_total',
    'shop_orders_total',
    'web_requests_total',
  ],
  shop: [
    'http_request_duration_seconds_bucket',
    'http_request_duration_seconds_count',
    'shop_outbox_oldest_timestamp_seconds',
    'shop_outbox_records',
    'shop_outbox_set_aside_records',
  ],
}

/** What Prometheus itself makes of scrapes and rules. */
export const PROMETHEUS_METRICS = ['up', 'ALERTS']

export const KNOWN_METRICS = new Set([...METRICS.bridge, ...METRICS.shop, ...PROMETHEUS_METRICS])
