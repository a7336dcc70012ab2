import { ERROR } from '../wire/errors.ts'
import type { Api } from './api.ts'

export const syncGroup: Api = {
  key: 14,
  versions: [0, 2],
  throttleSince: 1,
  async handle({ request, response }, { groups }) {
    const group = groups.find(request.string())
    const generation = request.int32()
    const memberId = request.string()
    const assignments = request.array(() => [request.string(), request.bytes()] as const)
    const synced = await group?.sync(memberId, generation, new Map(assignments))
    response.int16(synced?.error ?? ERROR.unknownMemberId)
    response.bytes(synced?.assignment ?? Buffer.alloc(0))
  },
}
