/** `node:string_decoder` for packages inside other parts. */
import { loadPart } from '../../core.ts';
import type * as part from '../../parts/node-buffer.ts';

export const { StringDecoder } = loadPart('node-buffer') as typeof part;
