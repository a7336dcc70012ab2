declare module 'autocannon' {
  type Options = {
    url: string
    connections: number
    duration: number
    method?: 'GET' | 'POST'
    headers?: Record<string, string>
    body?: string
  }
  type Result = {
    errors: number
    timeouts: number
    requests: { average: number; total: number }
    /** Milliseconds. */
    latency: { p50: number; p99: number }
    statusCodeStats: Record<string, { count: number }>
  }
  /** The part of autocannon that is used here; it brings no types of its own. */
  export default function autocannon(options: Options): Promise<Result>
}
