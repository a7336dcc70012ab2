import { timeseries } from './panel.ts'
import { p95, perSecond, series } from './query.ts'

const requests = series('web_requests_total')
const failed = series('web_requests_total', 'code=~"5.."')

export const serving = [
  timeseries({
    title: 'Requests by route',
    description: 'Requests to the three pages, whatever their method and outcome.',
    unit: 'reqps',
    width: 6,
    stack: true,
    queries: [{ expr: perSecond(requests, ['route']), legend: '{{route}}' }],
  }),
  timeseries({
    title: 'Requests by code',
    description: 'The status that the shop answered; unknown where a producer does not tell it.',
    unit: 'reqps',
    width: 6,
    stack: true,
    queries: [{ expr: perSecond(requests, ['code']), legend: '{{code}}' }],
  }),
  timeseries({
    title: 'Share of server errors',
    description: 'Requests answered with a code from 500 on, of all; 0 without requests.',
    unit: 'percentunit',
    width: 6,
    max: 1,
    queries: [
      {
        expr: `(${perSecond(failed)} or vector(0)) / (${perSecond(requests)} > 0) or vector(0)`,
        legend: '5xx',
      },
    ],
  }),
  timeseries({
    title: 'Response time, 95th percentile',
    description: 'Measured in the shop: 95 of 100 requests took at most this; 0 without requests.',
    unit: 's',
    width: 6,
    queries: [{ expr: p95('http_request_duration_seconds', 'route'), legend: '{{route}}' }],
  }),
]
