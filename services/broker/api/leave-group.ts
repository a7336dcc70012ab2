import { ERROR } from '../wire/errors.ts'
import type { Handler } from './api.ts'

export const leaveGroup: Handler = ({ request, response }, { groups }) => {
  const group = groups.find(request.string())
  const member = group?.members.get(request.string())
  if (member) group?.remove(member)
  response.int16(member ? ERROR.none : ERROR.unknownMemberId)
}
