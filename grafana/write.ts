import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { dashboard } from './dashboard.ts'

// `node grafana/write.ts` writes the dashboard that Grafana loads, in the repository's format.
const file = resolve(import.meta.dirname, 'dashboards/shop.json')
const formatter = resolve(import.meta.dirname, '../node_modules/.bin/biome')
writeFileSync(file, JSON.stringify(dashboard))
execFileSync(formatter, ['format', '--write', file], { stdio: ['ignore', 'ignore', 'inherit'] })
