/** `node:async_hooks` for packages inside other parts. */
import { loadPart } from '../../core.ts';
import type * as part from '../../parts/node-async-hooks.ts';

const { asyncHooks } = loadPart('node-async-hooks') as typeof part;

export const { AsyncLocalStorage, AsyncResource } = asyncHooks;
export default asyncHooks;
