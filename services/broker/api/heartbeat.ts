import { ERROR } from '../wire/errors.ts'
import type { Api } from './api.ts'

export const heartbeat: Api = {
  key: 12,
  versions: [0, 2],
  throttleSince: 1,
  handle({ request, response }, { groups }) {
    const group = groups.find(request.string())
    const generation = request.int32()
    response.int16(group?.heartbeat(request.string(), generation) ?? ERROR.unknownMemberId)
  },
}
