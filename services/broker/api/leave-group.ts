import { ERROR } from '../wire/errors.ts'
import type { Api } from './api.ts'

export const leaveGroup: Api = {
  key: 13,
  versions: [0, 2],
  throttleSince: 1,
  handle({ request, response }, { groups }) {
    const group = groups.find(request.string())
    const member = group?.members.get(request.string())
    if (member) group?.remove(member)
    response.int16(member ? ERROR.none : ERROR.unknownMemberId)
  },
}
