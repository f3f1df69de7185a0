/**
 * Source maps: stacks of bundled code told in the files and lines that its author wrote.
 *
 * Called by whoever takes in records or start-up errors: the supervisor, the control API, the embedded runtime.
 * Promise: maps and stacks are tenants' input, so they are read on a thread of their own with a limit on memory and time;
 * what cannot be mapped is given back as it was. Nothing is loaded before the first stack arrives.
 * Start at source-mapper.ts; map-stack.ts says what a frame becomes.
 */
export { decodeDataUrl, findMap, isSameName, type MapFiles, toMapFiles } from './map-files.ts';
export { mapRecord } from './map-record.ts';
export { SourceMapper } from './source-mapper.ts';
