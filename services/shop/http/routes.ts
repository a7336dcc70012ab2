/** The three pages. A request to one of them is an event, whatever its method and outcome. */
export const ROUTES = {
  home: '/',
  form: '/order-new',
  complete: '/order-new-complete',
} as const

export type Route = (typeof ROUTES)[keyof typeof ROUTES]

const READ = { GET: [200, 500], HEAD: [200, 500] }
const READ_OWN = { GET: [200, 404, 500], HEAD: [200, 404, 500] }
/** What a route answers to each method that it knows. */
const ANSWERS: Record<Route, Record<string, number[]>> = {
  '/': READ,
  '/order-new': { ...READ, POST: [303, 403, 413, 422, 500] },
  '/order-new-complete': READ_OWN,
}
const METHOD_LABELS = ['GET', 'HEAD', 'POST', 'other']

export type ResponseLabels = { route: Route; method: string; code: number }

/** The value of an `Allow` header. */
export function allowedMethods(route: Route): string {
  return Object.keys(ANSWERS[route]).join(', ')
}

/** Methods that no page knows share one label, so that no client can make labels. */
export function methodLabel(method: string): string {
  return METHOD_LABELS.includes(method) ? method : 'other'
}

export function knownResponses(): ResponseLabels[] {
  const known = Object.values(ROUTES).flatMap((route) =>
    METHOD_LABELS.map((method) => ({ route, method, codes: ANSWERS[route][method] ?? [405, 500] })),
  )
  return known.flatMap(({ route, method, codes }) => codes.map((code) => ({ route, method, code })))
}
