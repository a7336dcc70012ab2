/** How Node runs each service; `npm run shop`, `npm run bridge` and the Dockerfile say the same. */
export const NODE_OPTIONS = [
  // kafkajs 2.2.4 computes timeouts in the past.
  '--disable-warning=TimeoutNegativeWarning',
  // MiB of young heap per half: by default it grows to 128 MiB and more, and nothing here gains by it.
  '--max-semi-space-size=16',
]
