import { ERROR } from '../wire/errors.ts'
import { type Handler, NODE_ID } from './api.ts'

export const findCoordinator: Handler = ({ version, response }, { host, port }) => {
  response.int16(ERROR.none)
  if (version >= 1) response.string(null) // message
  response.int32(NODE_ID)
  response.string(host)
  response.int32(port)
}
