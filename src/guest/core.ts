/**
 * What the lazily loaded parts (parts/) may use of the core runtime and of the streams. They import it from here and
 * from nowhere else, so that there is one `EventTarget` and one table of invocations in an isolate; the build checks it.
 */
export * from './shared.ts';
export * from './blob/multipart.ts';
export * from './blob/urlencoded-form.ts';
export { Blob, blobBytes, blobType, createBlob, createFile, File, isFile } from './blob/blob.ts';
export { FormData } from './blob/form-data.ts';
export * from './events/event-kinds.ts';
export * from './streams/access.ts';
export * from './streams/text-streams.ts';
export * from './streams/web-streams.ts';
