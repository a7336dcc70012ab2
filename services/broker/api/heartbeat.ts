import { ERROR } from '../wire/errors.ts'
import type { Handler } from './api.ts'

export const heartbeat: Handler = ({ request, response }, { groups }) => {
  const group = groups.find(request.string())
  const generation = request.int32()
  response.int16(group?.heartbeat(request.string(), generation) ?? ERROR.unknownMemberId)
}
