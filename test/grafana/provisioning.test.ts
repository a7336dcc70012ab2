import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { readConfig } from '../prometheus/config.ts'
import { GRAFANA } from './dashboards.ts'

const read = (file: string) => parse(readFileSync(join(GRAFANA, 'provisioning', file), 'utf8'))

test('the data source keeps its uid, asks as often as Prometheus scrapes, and is not edited by hand', () => {
  const { apiVersion, prune, datasources } = read('datasources/prometheus.yml')
  assert.equal(apiVersion, 1)
  assert.equal(prune, true)
  assert.equal(datasources.length, 1)
  const [{ uid, type, editable, isDefault, jsonData }] = datasources
  assert.deepEqual(
    { uid, type, editable, isDefault },
    {
      uid: 'meterbridge-prometheus',
      type: 'prometheus',
      editable: false,
      isDefault: true,
    },
  )
  assert.equal(jsonData.httpMethod, 'POST')
  assert.equal(jsonData.timeInterval, readConfig().global.scrape_interval)
})

test('dashboards come from the folder that the container mounts, outside the provisioning folder', () => {
  const { apiVersion, providers } = read('dashboards/meterbridge.yml')
  assert.equal(apiVersion, 1)
  assert.equal(providers.length, 1)
  const [{ type, allowUiUpdates, options }] = providers
  assert.equal(type, 'file')
  assert.equal(allowUiUpdates, false)
  assert.doesNotMatch(options.path, /^\/etc\/grafana\/provisioning/)
  const compose = parse(readFileSync(join(GRAFANA, '../docker-compose.yml'), 'utf8'))
  const mounts: string[] = compose.services.grafana.volumes
  assert.ok(mounts.includes(`./grafana/dashboards:${options.path}:ro`), mounts.join('\n'))
  assert.ok(mounts.includes('./grafana/provisioning:/etc/grafana/provisioning:ro'))
})
