import { randomInt } from 'node:crypto'
import { ERROR } from '../wire/errors.ts'
import type { Handler } from './api.ts'

/** Lets producers in that are idempotent by default; a batch that one sends again is nevertheless kept again. */
export const initProducerId: Handler = ({ request, response }) => {
  const isTransactional = request.nullableString() !== null
  response.int16(isTransactional ? ERROR.invalidRequest : ERROR.none)
  response.int64(isTransactional ? -1 : randomInt(2 ** 47))
  response.int16(isTransactional ? -1 : 0) // epoch
}
