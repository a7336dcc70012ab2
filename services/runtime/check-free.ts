import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Address } from '../settings/settings.ts'
import { listenError } from './listen.ts'

/**
 * Opens and closes `address`, to tell before anything is started that it is taken.
 *
 * @param variable the variable that sets the address, named in the error.
 * @throws StartError when something listens there, or this process may not.
 */
export async function checkFree(address: Address, variable: string) {
  const server = createServer()
  try {
    server.listen(address.port, address.host)
    await once(server, 'listening')
  } catch (error) {
    throw listenError(error as NodeJS.ErrnoException, address, variable)
  }
  server.close()
  await once(server, 'close')
}
