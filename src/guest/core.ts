/**
 * What the lazily loaded parts (parts/) may use of the core runtime and of the streams. They import it from here and
 * from nowhere else, so that there is one `EventTarget` and one table of invocations in an isolate; the build checks it.
 */
export * from './shared.ts';
export * from './streams/access.ts';
export * from './streams/text-streams.ts';
export * from './streams/web-streams.ts';
