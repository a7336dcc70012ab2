import { customType } from 'drizzle-orm/sqlite-core'

/** A sum: any 64-bit integer, as a bigint. The database hands every integer over as a bigint (`safeIntegers`). */
export const sum = customType<{ data: bigint; driverData: bigint }>({
  dataType: () => 'integer',
})

/** An offset, a count of records, a time in ms: a whole number below 2^53. */
export const whole = customType<{ data: number; driverData: bigint | number }>({
  dataType: () => 'integer',
  fromDriver: Number,
})
