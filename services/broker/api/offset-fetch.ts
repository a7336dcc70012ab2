import { ERROR } from '../wire/errors.ts'
import type { Api } from './api.ts'

export const offsetFetch: Api = {
  key: 9,
  versions: [1, 5],
  throttleSince: 3,
  handle({ version, request, response }, { groups }) {
    const offsets = groups.find(request.string())?.offsets ?? {}
    const asked = request.nullableArray(() => request.topic(request.int32))
    const all = Object.entries(offsets).map(([name, partitions]) => ({
      name,
      partitions: Object.keys(partitions).map(Number),
    }))
    response.topics(asked ?? all, (partition, topic) => {
      const committed = offsets[topic]?.[partition]
      response.int32(partition)
      response.int64(committed?.offset ?? -1)
      if (version >= 5) response.int32(-1) // leader epoch
      response.string(committed?.metadata ?? '')
      response.int16(ERROR.none)
    })
    if (version >= 2) response.int16(ERROR.none)
  },
}
