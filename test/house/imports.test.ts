import assert from 'node:assert/strict'
import { test } from 'node:test'
import { violations } from './rules.ts'
import { importsOf, readSources } from './sources.ts'

const sources = readSources('services')

test('imports go the way the design says', () => {
  assert.ok(sources.length > 0)
  assert.deepEqual(violations(sources), [])
})

test('the fold has no clock and no chance in it', () => {
  const impure = /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|process\.)/
  const found = sources.filter(
    ({ path, text }) => path.startsWith('services/bridge/fold/') && impure.test(text),
  )
  assert.deepEqual(
    found.map(({ path }) => path),
    [],
  )
})

test("nothing in the bridge outside the definitions knows a stream's topic", () => {
  const naming = sources.filter(
    ({ path, text }) =>
      /^services\/bridge\/(?!streams\/)/.test(path) && /web_requests|new_orders/.test(text),
  )
  assert.deepEqual(
    naming.map(({ path }) => path),
    [],
  )
})

/** Each line breaks one rule, so each must be found: a rule that finds nothing would hold nothing. */
const FORBIDDEN = [
  ['services/settings/settings.ts', '../kafka/client.ts'],
  ['services/kafka/client.ts', '../shop/main.ts'],
  ['services/shop/page.ts', '../bridge/store/index.ts'],
  ['services/start/main.ts', '../broker/log/topics.ts'],
  ['services/shop/page.ts', '../../test/harness/until.ts'],
  ['services/bridge/start.ts', './main.ts'],
  ['services/shop/order/place.ts', 'kafkajs'],
  ['services/bridge/expose/page.ts', 'drizzle-orm/better-sqlite3'],
  ['services/bridge/streams/orders.ts', '../codec/index.ts'],
  ['services/bridge/streams/orders.ts', 'node:fs'],
  ['services/bridge/fold/fold.ts', 'node:fs'],
  ['services/bridge/codec/event.ts', '../fold/index.ts'],
  ['services/bridge/store/store.ts', '../expose/index.ts'],
  ['services/bridge/expose/page.ts', '../rollup/index.ts'],
  ['services/bridge/rollup/csv.ts', '../expose/index.ts'],
  ['services/bridge/source/read.ts', '../store/index.ts'],
  ['services/bridge/intake/intake.ts', '../rollup/index.ts'],
  ['services/bridge/rebuild/rebuild.ts', '../expose/index.ts'],
  ['services/bridge/fold/fold.ts', '../codec/event.ts'],
  ['services/bridge/audit/files.ts', '../rollup/index.ts'],
  ['services/bridge/audit/recount/count.ts', '../../codec/index.ts'],
] as const

for (const [path, imported] of FORBIDDEN) {
  test(`${path} may not import ${imported}`, () => {
    const imports = importsOf(path, `import { x } from '${imported}'\n`)
    assert.equal(imports.length, 1)
    assert.notDeepEqual(violations([{ path, imports }]), [])
  })
}

test('every way to import is seen', () => {
  const text = [
    "import a from 'a'",
    "import type { B } from './b.ts'",
    "export * from '../c.ts'",
    "import 'node:d'",
    "const e = await import('@e/e/deep')",
    "import {\n  f,\n} from 'f/deep.js'",
  ].join('\n')
  assert.deepEqual(importsOf('services/x/y.ts', text), [
    'a',
    'services/x/b.ts',
    'services/c.ts',
    'node:d',
    '@e/e',
    'f',
  ])
})
