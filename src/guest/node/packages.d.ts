/** Packages that come without types. */
declare module '@pkgjs/parseargs' {
  export function parseArgs(config?: object): object;
}
declare module 'path-browserify' {
  const path: Record<string, unknown>;
  export default path;
}
declare module 'readable-stream/lib/stream' {
  const Stream: object;
  export default Stream;
}
