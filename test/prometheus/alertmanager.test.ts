import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { PROMETHEUS, readRules } from './config.ts'
import { missingTool, runTool } from './tool.ts'

const skip = missingTool('amtool')
const file = join(PROMETHEUS, 'alertmanager.yml')
const config = parse(readFileSync(file, 'utf8')) as {
  route: { receiver: string }
  inhibit_rules: { source_matchers: string[]; target_matchers: string[] }[]
}

describe('Alertmanager', () => {
  test('takes the configuration', { skip }, async () => {
    await runTool('amtool', ['check-config', file])
  })

  test('has a receiver for every alert', { skip }, async () => {
    for (const { alert, labels } of readRules()) {
      const matching = Object.entries({ alertname: alert, ...labels }).map(([k, v]) => `${k}=${v}`)
      const printed = await runTool('amtool', [
        ...['config', 'routes', 'test', `--config.file=${file}`],
        ...[`--verify.receivers=${config.route.receiver}`, ...matching],
      ])
      assert.match(printed, new RegExp(config.route.receiver))
    }
  })

  test('is silent about the business while the pipeline is down, and about nothing by mistake', () => {
    const silenced = (source: Record<string, string>, target: Record<string, string>) =>
      config.inhibit_rules.some(
        (rule) =>
          rule.source_matchers.every((matcher) => matches(matcher, source)) &&
          rule.target_matchers.every((matcher) => matches(matcher, target)),
      )
    const rules = readRules().map(
      ({ alert, labels }): Record<string, string> => ({ alertname: alert, ...labels }),
    )
    const orders = rules.find(({ alertname }) => alertname === 'OrdersStopped')!
    for (const rule of rules) {
      assert.equal(silenced(rule, orders), rule.layer === 'pipeline', JSON.stringify(rule))
      assert.equal(silenced(orders, rule), false)
      assert.equal(silenced(rule, rule), false, 'an alert must not silence itself')
    }
  })
})

/** As Alertmanager reads `label = "value"` and `label =~ "a|b"`. */
function matches(matcher: string, labels: Record<string, string>): boolean {
  const [, name, operator, value] = /^(\w+) (=~?) "(.*)"$/.exec(matcher) ?? assert.fail(matcher)
  const actual = labels[name!] ?? ''
  return operator === '=' ? actual === value : new RegExp(`^(?:${value})$`).test(actual)
}
