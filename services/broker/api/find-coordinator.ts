import { ERROR } from '../wire/errors.ts'
import { type Handler, NODE_ID } from './api.ts'

const GROUP = 0

export const findCoordinator: Handler = ({ version, request, response }, { host, port }) => {
  request.string()
  const isGroup = version < 1 || request.int8() === GROUP
  response.int16(isGroup ? ERROR.none : ERROR.invalidRequest)
  if (version >= 1) response.string(isGroup ? null : 'this broker has no transactions')
  response.int32(NODE_ID)
  response.string(host)
  response.int32(port)
}
