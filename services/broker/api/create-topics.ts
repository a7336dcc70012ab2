import { ERROR } from '../wire/errors.ts'
import type { Handler } from './api.ts'

/** Topic configurations are read and have no effect. */
export const createTopics: Handler = ({ version, request, response }, { topics }) => {
  const wanted = request.array(() => {
    const [name, count, replicas] = [request.string(), request.int32(), request.int16()]
    const { length } = request.array(() => [request.int32(), request.array(request.int32)])
    request.array(() => [request.string(), request.nullableString()])
    return { name, replicas, partitionCount: length || (count === -1 ? 1 : count) }
  })
  request.int32() // timeout
  const validateOnly = version >= 1 && request.int8() !== 0
  response.array(wanted, ({ name, replicas, partitionCount }) => {
    const refused = Math.abs(replicas) === 1 ? ERROR.none : ERROR.invalidReplicationFactor
    const error = topics.check(name, partitionCount) || refused
    if (!error && !validateOnly) topics.create(name, partitionCount)
    response.string(name)
    response.int16(error)
    if (version >= 1) response.string(null)
  })
}
