import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { listenError } from '../runtime/listen.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Address } from '../settings/settings.ts'
import { serve } from './connection.ts'
import { dispatch } from './dispatch.ts'
import { Groups } from './groups/groups.ts'
import { Topics } from './log/topics.ts'

const MAX_CONNECTIONS = 500

/**
 * A Kafka cluster of one node, its state in `folder`, which must be this process's alone.
 *
 * @throws StartError when the address cannot be listened on.
 */
export async function startBroker(folder: string, address: Address, logger: Logger) {
  const topics = new Topics(join(folder, 'topics'), logger)
  const groups = new Groups(join(folder, 'groups'))
  const state = { topics, groups, clusterId: clusterId(join(folder, 'cluster-id')), ...address }
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    void serve(socket, (frame) => dispatch(frame, state), logger)
  })
  server.maxConnections = MAX_CONNECTIONS
  server.on('drop', () => logger.warn(`refused a connection: ${MAX_CONNECTIONS} are open`))
  server.listen(address.port, address.host)
  await once(server, 'listening').catch((error) => {
    throw listenError(error, address, 'METERBRIDGE_BROKER_LISTEN')
  })
  return {
    async stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
      topics.close()
    },
  }
}

function clusterId(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    const id = randomUUID()
    writeFileSync(path, id)
    return id
  }
}
