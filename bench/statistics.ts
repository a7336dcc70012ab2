/** The middle value; of an even number, the mean of the two in the middle. Undefined values are a defect: at least one is needed. */
export function median(values: number[]): number {
  return percentile(values, 0.5)
}

/** The value below which `share` (0 to 1) of the values lie, linearly between neighbours. */
export function percentile(values: number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * share
  const low = sorted[Math.floor(at)] ?? Number.NaN
  const high = sorted[Math.ceil(at)] ?? Number.NaN
  return low + (high - low) * (at - Math.floor(at))
}
