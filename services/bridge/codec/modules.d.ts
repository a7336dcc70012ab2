declare module 'snappyjs' {
  /** @throws Error when damaged or longer than `maxLength` bytes. */
  function uncompress(compressed: Uint8Array, maxLength: number): Uint8Array
  const snappy: { uncompress: typeof uncompress }
  export default snappy
}

declare module 'lz4js' {
  /** One LZ4 frame; at most `maxSize` bytes are written. */
  function decompress(frame: Uint8Array, maxSize: number): Uint8Array
  const lz4: { decompress: typeof decompress }
  export default lz4
}
