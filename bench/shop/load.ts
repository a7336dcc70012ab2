import autocannon from 'autocannon'

export const CLIENTS = 16

export type Load = { perSecond: number; p50Ms: number; p99Ms: number }

/**
 * Requests as fast as 16 clients get answers.
 *
 * @throws Error when an answer has another status than `status`: then it is not what was to be measured.
 */
export async function load(
  url: string,
  seconds: number,
  status: number,
  form?: Record<string, string>,
): Promise<Load> {
  const result = await autocannon({
    url,
    connections: CLIENTS,
    duration: seconds,
    ...(form && {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form).toString(),
    }),
  })
  const statuses = Object.keys(result.statusCodeStats)
  if (result.errors > 0 || result.timeouts > 0 || statuses.join() !== String(status)) {
    throw new Error(
      `${url} answered ${statuses.join(', ')} with ${result.errors} errors, not ${status}`,
    )
  }
  return {
    perSecond: result.requests.average,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
  }
}
