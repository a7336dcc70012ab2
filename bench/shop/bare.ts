import { mkdirSync } from 'node:fs'
import { Hono } from 'hono'
import { listen } from '../../services/runtime/listen.ts'
import { openDatabase } from '../../services/shop/database/open.ts'
import { homePage } from '../../services/shop/pages/home.ts'

/**
 * What the shop is measured beside: Hono, the same page, and the same row inserted by each request, with
 * nothing else. Arguments: data folder, port.
 */
const [dataDir = '', port = ''] = process.argv.slice(2)
mkdirSync(dataDir, { recursive: true })
const client = openDatabase(dataDir).$client
client.pragma('synchronous = NORMAL')
const insert = client.prepare(
  'insert into outbox (topic, key, value, event_time) values (?, null, ?, ?)',
)
const app = new Hono()
app.get('/', (c) => {
  const value = JSON.stringify({ route: '/', method: 'GET', status: 200, duration: 123 })
  insert.run('web_requests', value, Date.now())
  return c.html(homePage())
})
await listen(app, { host: '127.0.0.1', port: Number(port) }, 'the port')
