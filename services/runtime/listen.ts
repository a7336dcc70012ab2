import type { Server } from 'node:http'
import { serve } from '@hono/node-server'
import type { Hono } from 'hono'
import type { Address } from '../settings/settings.ts'
import { StartError } from './start-error.ts'

const CLOSE_DEADLINE_MS = 1_000

/**
 * Serves a Hono application at `address` and resolves once the port is open.
 *
 * @param variable the variable that sets the address, named in the error.
 * @throws StartError when the address is taken or not this machine's.
 */
export function listen(
  // biome-ignore lint/suspicious/noExplicitAny: any Hono application, whatever its variables
  app: Hono<any>,
  address: Address,
  variable: string,
): Promise<{ close(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = serve({ fetch: app.fetch, hostname: address.host, port: address.port }, () =>
      resolve({ close: () => close(server) }),
    ) as Server
    server.on('error', (error: NodeJS.ErrnoException) =>
      reject(listenError(error, address, variable)),
    )
  })
}

/** The sentence for a port that cannot be opened. */
export function listenError(error: NodeJS.ErrnoException, address: Address, variable: string) {
  const at = `${address.host}:${address.port}`
  if (error.code === 'EADDRINUSE')
    return new StartError(
      `${at} is taken; stop what listens there, or set ${variable} to a free one`,
    )
  if (error.code === 'EACCES')
    return new StartError(`this user may not listen on ${at}; set ${variable} to a port above 1023`)
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new StartError(`${at} is no address of this machine; set ${variable} to one that is`)
  return error
}

/** Lets requests under way finish, for a moment; idle keep-alive connections are cut. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), CLOSE_DEADLINE_MS).unref()
  })
}
