import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { parse } from 'yaml'
import { PROMETHEUS, readConfig, readRules, seconds } from './config.ts'
import { KNOWN_METRICS } from './metrics.ts'
import { selectorsOf } from './promql.ts'
import { missingTool, runTool } from './tool.ts'

const skip = missingTool('promtool')
const ruleTests = globSync(join(PROMETHEUS, 'tests/*.yml')).sort()
const rules = readRules()
const scrapeSeconds = seconds(readConfig().global.scrape_interval)
const runbook = readFileSync(resolve(PROMETHEUS, '../docs/runbook.md'), 'utf8')

describe('Prometheus', () => {
  test('takes the configuration and the rules', { skip }, async () => {
    await runTool('promtool', ['check', 'config', join(PROMETHEUS, 'prometheus.yml')])
    await runTool('promtool', ['check', 'rules', '--lint-fatal', join(PROMETHEUS, 'alerts.yml')])
  })

  for (const file of ruleTests) {
    test(`alerts as ${basename(file)} says`, { skip }, async () => {
      await runTool('promtool', ['test', 'rules', file])
    })
  }

  test('gives every target the name of what it is as its instance, not an address', () => {
    for (const { job_name, static_configs } of readConfig().scrape_configs) {
      for (const { labels } of static_configs) {
        assert.match(labels.instance ?? '', /^[a-z]+$/, `instance of job ${job_name}`)
      }
    }
  })
})

describe('alerts', () => {
  test('are those that were promised', () => {
    assert.deepEqual([...new Set(rules.map(({ alert }) => alert))].sort(), [
      'AuditFoundDifferences',
      'AuditMissing',
      'BridgeAbsent',
      'BridgeDown',
      'ConsumerStalledOrBehind',
      'DeadLetters',
      'DiskFilling',
      'OrdersStopped',
      'OutboxStuck',
    ])
  })

  for (const rule of rules) {
    const name = [rule.alert, rule.labels.cause].filter(Boolean).join(' ')

    test(`${name} has a rule test that sees it fire and one that does not`, () => {
      const expected = ruleTests
        .flatMap((file) => (parse(readFileSync(file, 'utf8')) as RuleTests).tests)
        .flatMap((one) => one.alert_rule_test)
        .filter(({ alertname }) => alertname === rule.alert)
        .map(({ exp_alerts }) => exp_alerts)
      const fires = expected.flat().some(({ exp_labels }) => exp_labels.cause === rule.labels.cause)
      assert.ok(fires, 'no test sees it fire')
      assert.ok(
        expected.some((alerts) => alerts.length === 0),
        'no test sees it quiet',
      )
    })

    test(`${name} names its severity, what happened, and a section of the runbook`, () => {
      assert.match(rule.labels.severity ?? '', /^(critical|warning)$/)
      assert.match(rule.labels.layer ?? '', /^(pipeline|data|business)$/)
      assert.ok(rule.annotations.summary && rule.annotations.description)
      const anchor = `docs/runbook.md#${rule.alert.toLowerCase()}`
      assert.equal(rule.annotations.runbook_url, anchor)
      assert.match(runbook, new RegExp(`^## ${rule.alert}$`, 'm'))
    })

    test(`${name} keeps one identity while it fires`, () => {
      for (const label of Object.values(rule.labels)) assert.doesNotMatch(label, /\$value/)
    })

    test(`${name} waits for two scrapes and two evaluations at least`, () => {
      assert.ok(seconds(rule.for) >= 2 * scrapeSeconds, rule.for)
      assert.ok(seconds(rule.for) >= 2 * seconds(rule.interval), rule.for)
    })

    test(`${name} asks for metrics that exist, over windows of four scrapes at least`, () => {
      for (const { metric, labels, rangeSeconds } of selectorsOf(rule.expr)) {
        assert.ok(KNOWN_METRICS.has(metric), `${metric} is no metric of the product`)
        assert.ok(labels.includes('job'), `${metric} is not of one job`)
        if (rangeSeconds !== undefined) assert.ok(rangeSeconds >= 4 * scrapeSeconds, metric)
      }
    })
  }
})

type RuleTests = {
  tests: {
    alert_rule_test: { alertname: string; exp_alerts: { exp_labels: Record<string, string> }[] }[]
  }[]
}
