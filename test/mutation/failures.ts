import type { TestEvent } from 'node:test/reporters'

/** Reporter: one line of JSON for each failed test, and how its error is named; what failed is not a whole file. */
export default async function* failures(source: AsyncIterable<TestEvent>) {
  for await (const event of source) {
    if (event.type !== 'test:fail') continue
    const { name, file, details } = event.data
    const { failureType, cause } = details.error as Error & { failureType?: string }
    if (failureType === 'subtestsFailed' || file?.endsWith(name)) continue
    yield `${JSON.stringify({ name, error: nameOf(cause) })}\n`
  }
}

/** Of the innermost cause: what others were wrapped around. */
function nameOf(error: unknown): string {
  const { name, cause } = error as Error
  return cause instanceof Error ? nameOf(cause) : (name ?? String(error))
}
