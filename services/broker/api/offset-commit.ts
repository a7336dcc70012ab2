import { ERROR } from '../wire/errors.ts'
import type { Handler } from './api.ts'

export const offsetCommit: Handler = ({ version, request, response }, { groups, topics }) => {
  const groupId = request.string()
  const [generation, memberId] = [request.int32(), request.string()]
  if (version <= 4) request.int64() // retention time
  const commits = request.topics(() => {
    const offset = request.int64()
    if (version >= 6) request.int32() // leader epoch
    return { committed: { offset, metadata: request.nullableString() } }
  })
  const group = groups.findOrCreate(groupId)
  const refused = group ? group.checkCommit(memberId, generation) : ERROR.invalidGroupId
  response.topics(commits, ({ partition, committed }, topic) => {
    const error = topics.get(topic)[partition] ? refused : ERROR.unknownTopicOrPartition
    if (group && !error) group.offsets[topic] = { ...group.offsets[topic], [partition]: committed }
    response.int16(error)
  })
  if (group && !refused) groups.save()
}
