/** `node:stream` for packages inside other parts. */
import { loadPart } from '../../core.ts';
import type * as part from '../../parts/node-stream.ts';

const { stream } = loadPart('node-stream') as typeof part;
export const { Duplex, PassThrough, Readable, Stream, Transform, Writable, finished, pipeline, promises } = stream;
export default stream;
