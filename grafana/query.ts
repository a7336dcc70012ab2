/** The matchers of every selector: the dashboard's job and instance variables. */
const MATCHERS = 'job=~"$job", instance=~"$instance"'

/** A selector of `metric` that follows the dashboard's variables. */
export function series(metric: string, matcher?: string): string {
  return `${metric}{${matcher ? `${matcher}, ` : ''}${MATCHERS}}`
}

/** How much a counter grew per second, per combination of the labels `by`. */
export function perSecond(selector: string, by: string[] = []): string {
  return `${sum(by)} (rate(${selector}[$__rate_interval]))`
}

export function perMinute(selector: string, by: string[] = []): string {
  return `60 * ${perSecond(selector, by)}`
}

/**
 * How much a counter grew since the start of the panel's time range: a difference of two readings, so that it
 * is a whole number and equals the files, where `increase()` extrapolates. What was shown last within the day
 * before the start is the reading there, so a bridge that is down at midnight does no harm; a series that was
 * not seen in that day counts from 0.
 */
export function growth(selector: string, by: string[] = []): string {
  return `${sum(by)} (${selector} - (last_over_time(${selector}[1d] @ start()) or 0 * ${selector}))`
}

/** The 95th percentile of a histogram of seconds; 0 where nothing was measured. */
export function p95(histogram: string, by: string): string {
  const quantile = `histogram_quantile(0.95, ${perSecond(series(`${histogram}_bucket`), ['le', by])})`
  return `${quantile} >= 0 or 0 * ${perSecond(series(`${histogram}_count`), [by])}`
}

function sum(by: string[]): string {
  return by.length > 0 ? `sum by (${by.join(', ')})` : 'sum'
}
