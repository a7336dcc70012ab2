import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { listenError } from '../runtime/listen.ts'
import { lockFolder } from '../runtime/lock.ts'
import { run } from '../runtime/run.ts'
import { serve } from './connection.ts'
import { Groups } from './groups/groups.ts'
import { Topics } from './log/topics.ts'

const MAX_CONNECTIONS = 500

await run('broker', async ({ settings: { dataDir, brokerListen }, logger }) => {
  const folder = join(dataDir, 'broker')
  const lock = lockFolder(folder, 'broker')
  const topics = new Topics(join(folder, 'topics'), logger)
  const broker = { topics, groups: new Groups(join(folder, 'groups.json')), ...brokerListen }
  const server = createServer({ noDelay: true }, (socket) => void serve(socket, broker, logger))
  server.maxConnections = MAX_CONNECTIONS
  server.on('drop', () => logger.warn(`refused a connection: ${MAX_CONNECTIONS} are open`))
  server.listen(brokerListen.port, brokerListen.host)
  await once(server, 'listening').catch((error) => {
    throw listenError(error, brokerListen, 'METERBRIDGE_BROKER_LISTEN')
  })
  logger.info(
    { ...brokerListen, folder },
    'for development only: one node, no replicas, no encryption',
  )
  // What was acknowledged is in the files already, and the process, with its connections, ends right after.
  return { stop: async () => lock.release() }
})
