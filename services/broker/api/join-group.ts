import { ERROR } from '../wire/errors.ts'
import type { Handler } from './api.ts'

export const joinGroup: Handler = async ({ version, clientId, request, response }, { groups }) => {
  const group = groups.findOrCreate(request.string())
  const sessionTimeoutMs = request.int32()
  if (version >= 1) request.int32() // rebalance timeout: members that do not join expire by their session's
  const memberId = request.string()
  request.string() // protocol type
  const protocols = request.array(() => ({ name: request.string(), metadata: request.bytes() }))
  const joined = await group?.join(memberId, clientId, { sessionTimeoutMs, protocols })
  const { generation, protocol, leader, members } =
    group && !joined?.error ? group : { generation: -1, protocol: '', leader: '', members: [] }
  response.int16(joined?.error ?? ERROR.invalidGroupId)
  response.int32(generation)
  response.string(protocol)
  response.string(leader)
  response.string(joined?.id ?? memberId)
  response.array(joined?.id === leader ? [...members.values()] : [], (member) => {
    response.string(member.id)
    response.bytes(member.protocols.find(({ name }) => name === protocol)!.metadata)
  })
}
