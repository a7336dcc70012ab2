export { createApp, type Readiness } from './app.ts'
export { createDurable } from './durable.ts'
export { type Family, renderPage } from './family.ts'
export { ProcessMetrics, type StreamStatus } from './process.ts'
