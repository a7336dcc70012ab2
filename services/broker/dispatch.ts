import type { Broker } from './api/api.ts'
import { APIS, apiVersions, writeVersions } from './api/apis.ts'
import { ERROR } from './wire/errors.ts'
import { MalformedRequest, Reader } from './wire/reader.ts'
import { Writer } from './wire/writer.ts'

/**
 * Answers one request.
 *
 * @param frame the request without its length.
 * @returns the response with its length; empty when none is owed; undefined when the connection is to end.
 * @throws MalformedRequest for what cannot be parsed, or is of an API or version that is not supported.
 */
export async function dispatch(frame: Buffer, broker: Broker): Promise<Buffer[] | undefined> {
  const request = new Reader(frame)
  const [key, version, correlationId] = [request.int16(), request.int16(), request.int32()]
  const clientId = request.nullableString() ?? ''
  const response = new Writer()
  response.int32(correlationId)
  const api = APIS.find((each) => each.key === key)
  const isSupported = api && version >= api.versions[0] && version <= api.versions[1]
  if (api === apiVersions && !isSupported) {
    writeVersions(response, ERROR.unsupportedVersion)
  } else if (!isSupported) {
    throw new MalformedRequest(`API ${key} version ${version} is not supported`)
  } else {
    if (version >= (api.throttleSince ?? Infinity)) response.int32(0)
    const outcome = await api.handle({ version, clientId, request, response }, broker)
    if (outcome === 'close') return undefined
    if (outcome === 'unanswered') return []
  }
  const parts = response.finish()
  const length = Buffer.alloc(4)
  length.writeInt32BE(parts.reduce((sum, part) => sum + part.length, 0))
  return [length, ...parts]
}
