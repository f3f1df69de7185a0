/** `node:buffer` for packages inside other parts. */
import { isBlob, loadPart } from '../../core.ts';
import type * as part from '../../parts/node-buffer.ts';

export const { Buffer } = loadPart('node-buffer') as typeof part;
/** They only ask what is one: the class itself is a part that nobody may need. */
export const Blob = { [Symbol.hasInstance]: isBlob };
export default { Blob, Buffer };
