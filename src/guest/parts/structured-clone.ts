/** The copying of `structuredClone`. */
import { setCloner } from '../shared.ts';
import { cloneWithTransfer, structuredClone } from '../structured-clone.ts';

export { cloneWithTransfer, structuredClone };

setCloner({ cloneWithTransfer, structuredClone });
