import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

type Locked = { optionalDependencies?: Record<string, string>; resolved?: string }

const lock = JSON.parse(
  readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'),
) as { packages: Record<string, Locked> }

test('the lock file names every platform package, so that `npm ci` works on each of them', () => {
  // npm leaves out those it could not find when the lock was written, and `npm ci` then refuses the lock.
  const missing = Object.entries(lock.packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(
      (name) =>
        !(`node_modules/${name}` in lock.packages) &&
        !(`${path}/node_modules/${name}` in lock.packages),
    ),
  )
  assert.deepEqual(missing, [])
})

test('the lock file names no registry', () => {
  const hosts = Object.values(lock.packages).filter(({ resolved }) => resolved !== undefined)
  assert.deepEqual(hosts, [])
})
