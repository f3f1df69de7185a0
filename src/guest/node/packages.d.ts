/** Packages that come without types. */
declare module 'path-browserify' {
  const path: Record<string, unknown>;
  export default path;
}
declare module 'readable-stream/lib/stream' {
  const Stream: object;
  export default Stream;
}
