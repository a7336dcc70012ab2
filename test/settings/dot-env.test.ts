import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import { temporaryFolder } from '../harness/folder.ts'

const SETTINGS = resolve(import.meta.dirname, '../../services/settings/settings.ts')
const SHOW = `
  const { loadDotEnv, readSettings } = await import(${JSON.stringify(SETTINGS)})
  try {
    loadDotEnv()
    const { logLevel, startFrom } = readSettings(process.env)
    console.log(logLevel, startFrom)
  } catch (error) {
    console.log(error.name, error.message)
  }`

/** The settings as a process started in `folder` reads them. */
function settingsIn(folder: string, environment: Record<string, string> = {}): string {
  const env = { PATH: process.env.PATH, ...environment }
  const args = ['--input-type=module', '--eval', SHOW]
  return execFileSync(process.execPath, args, { cwd: folder, env, encoding: 'utf8' }).trim()
}

test('.env in the working directory is read, and what is set already wins', () => {
  using folder = temporaryFolder()
  assert.equal(settingsIn(folder.path), 'info earliest')
  writeFileSync(
    join(folder.path, '.env'),
    '# mine\nMETERBRIDGE_LOG_LEVEL=warn\nMETERBRIDGE_START_FROM="latest"\n',
  )
  assert.equal(settingsIn(folder.path), 'warn latest')
  assert.equal(settingsIn(folder.path, { METERBRIDGE_LOG_LEVEL: 'error' }), 'error latest')
})

test('a .env that cannot be read is refused in one sentence', () => {
  using folder = temporaryFolder()
  mkdirSync(join(folder.path, '.env'))
  assert.match(settingsIn(folder.path), /^StartError cannot read \.env \(.*\); mend or remove it$/)
})
