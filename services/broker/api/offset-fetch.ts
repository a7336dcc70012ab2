import { ERROR } from '../wire/errors.ts'
import type { Handler } from './api.ts'

export const offsetFetch: Handler = ({ version, request, response }, { groups }) => {
  const offsets = groups.find(request.string())?.offsets ?? {}
  const asked = request.nullableArray(() => request.topic(() => ({})))
  const all = Object.entries(offsets).map(([name, partitions]) => {
    return { name, partitions: Object.keys(partitions).map((key) => ({ partition: Number(key) })) }
  })
  response.topics(asked ?? all, ({ partition }, topic) => {
    const committed = offsets[topic]?.[partition]
    response.int64(committed?.offset ?? -1)
    if (version >= 5) response.int32(-1) // leader epoch
    response.string(committed?.metadata ?? '')
    response.int16(ERROR.none)
  })
  if (version >= 2) response.int16(ERROR.none)
}
