/** `node:events` for packages inside other parts: as CommonJS has it, and with names. */
import { loadPart } from '../../core.ts';
import type * as part from '../../parts/node-events.ts';

const { EventEmitter } = loadPart('node-events') as typeof part;

export { EventEmitter };
export const { addAbortListener, once, on } = EventEmitter as unknown as Record<string, unknown>;
export default EventEmitter;
