import { ERROR } from '../wire/errors.ts'
import type { Handler } from './api.ts'

export const syncGroup: Handler = async ({ request, response }, { groups }) => {
  const group = groups.find(request.string())
  const generation = request.int32()
  const memberId = request.string()
  const assignments = request.array(() => [request.string(), request.bytes()] as const)
  const error = await group?.sync(memberId, generation, new Map(assignments))
  response.int16(error ?? ERROR.unknownMemberId)
  response.bytes((!error && group?.members.get(memberId)?.assignment) || Buffer.alloc(0))
}
