import { defineStream, type } from './define.ts'

/** What a bare `1` does not tell. */
const UNKNOWN = 'unknown'
/** What is told but is not in a label's list: the series stay bounded whatever a producer writes. */
const OTHER = 'other'

const ROUTES = ['/', '/order-new', '/order-new-complete']
const METHODS = ['GET', 'HEAD', 'POST']
const CODES = ['200', '303', '400', '403', '404', '405', '413', '422', '500', '503']

const Request = type({
  'route?': 'string',
  'method?': 'string',
  'status?': '100 <= number.integer <= 599',
  /** Microseconds. */
  'duration?': '0 <= number.integer <= 1000000000000',
})

type Request = typeof Request.infer

const listed = (values: string[], value: string | undefined) =>
  value === undefined ? UNKNOWN : values.includes(value) ? value : OTHER
const told = (event: 1 | Request): Request => (event === 1 ? {} : event)

export const requests = defineStream({
  name: 'requests',
  topic: 'web_requests',
  schema: type
    .unit(1)
    .or(
      Request.and(
        type('object').narrow(
          (value, context) => !Array.isArray(value) || context.mustBe('an object, not an array'),
        ),
      ),
    ),
  labels: {
    route: {
      values: [...ROUTES, OTHER, UNKNOWN],
      of: (event) => listed(ROUTES, told(event).route),
    },
    method: {
      values: [...METHODS, OTHER, UNKNOWN],
      of: (event) => listed(METHODS, told(event).method),
    },
    code: {
      values: [...CODES, OTHER, UNKNOWN],
      of: (event) => listed(CODES, told(event).status?.toString()),
    },
  },
  measures: [
    {
      name: 'web_requests_total',
      help: 'Requests to the pages of the shop.',
      unit: 'records',
      labels: ['route', 'method', 'code'],
      value: () => 1,
    },
  ],
  columns: [{ name: 'requests_num', measure: 'web_requests_total' }],
  known: [
    { route: UNKNOWN, method: UNKNOWN, code: UNKNOWN },
    ...ROUTES.flatMap((route) => ['200', '405', '500'].map((code) => known(route, code))),
    { route: '/order-new', method: 'POST', code: '303' },
    { route: '/order-new', method: 'POST', code: '413' },
    { route: '/order-new', method: 'POST', code: '422' },
    { route: '/order-new', method: 'POST', code: '500' },
    { route: '/order-new-complete', method: 'GET', code: '404' },
  ],
})

function known(route: string, code: string) {
  return { route, method: code === '405' ? OTHER : 'GET', code }
}
