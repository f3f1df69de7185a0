/** `node:buffer` for packages inside other parts. */
import { Blob, loadPart } from '../../core.ts';
import type * as part from '../../parts/node-buffer.ts';

export const { Buffer } = loadPart('node-buffer') as typeof part;
export { Blob };
export default { Blob, Buffer };
