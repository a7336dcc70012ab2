import { ERROR } from '../wire/errors.ts'
import type { Api } from './api.ts'

/** Topic configurations are read and have no effect. */
export const createTopics: Api = {
  key: 19,
  versions: [0, 3],
  throttleSince: 2,
  handle({ version, request, response }, { topics }) {
    const wanted = request.array(() => {
      const [name, count, replicas] = [request.string(), request.int32(), request.int16()]
      const assignments = request.array(() => [request.int32(), request.array(request.int32)])
      request.array(() => [request.string(), request.nullableString()]) // configurations
      return { name, replicas, partitionCount: assignments.length || (count === -1 ? 1 : count) }
    })
    request.int32() // timeout
    const validateOnly = version >= 1 && request.boolean()
    response.array(wanted, ({ name, replicas, partitionCount }) => {
      const isReplicated = replicas !== 1 && replicas !== -1
      const error = isReplicated
        ? ERROR.invalidReplicationFactor
        : topics.check(name, partitionCount)
      if (!error && !validateOnly) topics.create(name, partitionCount)
      response.string(name)
      response.int16(error)
      if (version >= 1) response.string(null)
    })
  },
}
