import { ERROR } from '../wire/errors.ts'
import type { Api } from './api.ts'

export const joinGroup: Api = {
  key: 11,
  versions: [0, 3],
  throttleSince: 2,
  async handle({ version, clientId, request, response }, { groups }) {
    const group = groups.findOrCreate(request.string())
    const sessionTimeoutMs = request.int32()
    const rebalanceTimeoutMs = version >= 1 ? request.int32() : sessionTimeoutMs
    const join = {
      sessionTimeoutMs,
      rebalanceTimeoutMs,
      memberId: request.string(),
      protocolType: request.string(),
      protocols: request.array(() => ({ name: request.string(), metadata: request.bytes() })),
    }
    const joined = await group?.join(join, clientId)
    const member = joined?.member
    const isLeader = member !== undefined && member.memberId === group?.leader
    response.int16(joined?.error ?? ERROR.invalidGroupId)
    response.int32(member && group ? group.generation : -1)
    response.string(member && group ? group.protocol : '')
    response.string(member && group ? group.leader : '')
    response.string(member?.memberId ?? join.memberId)
    response.array(isLeader ? [...group.members.values()] : [], ({ memberId, protocols }) => {
      response.string(memberId)
      response.bytes(protocols.find(({ name }) => name === group?.protocol)!.metadata)
    })
  },
}
