import { ERROR } from '../wire/errors.ts'
import type { Api } from './api.ts'

export const offsetCommit: Api = {
  key: 8,
  versions: [2, 6],
  throttleSince: 3,
  handle({ version, request, response }, { groups, topics }) {
    const groupId = request.string()
    const generation = request.int32()
    const memberId = request.string()
    if (version <= 4) request.int64() // retention time
    const commits = request.topics(() => {
      const [partition, offset] = [request.int32(), request.int64()]
      if (version >= 6) request.int32() // leader epoch
      return { partition, offset, metadata: request.nullableString() }
    })
    const group = groups.findOrCreate(groupId)
    const error = group ? group.mayCommit(memberId, generation) : ERROR.invalidGroupId
    const isKnown = (topic: string, { partition }: { partition: number }) =>
      topics.partition(topic, partition) !== undefined
    if (group && !error) {
      for (const { name, partitions } of commits) {
        for (const { partition, ...committed } of partitions.filter((each) =>
          isKnown(name, each),
        )) {
          group.offsets[name] = { ...group.offsets[name], [partition]: committed }
        }
      }
      groups.save(groupId, group)
    }
    response.topics(commits, (commit, topic) => {
      response.int32(commit.partition)
      response.int16(error || (isKnown(topic, commit) ? ERROR.none : ERROR.unknownTopicOrPartition))
    })
  },
}
