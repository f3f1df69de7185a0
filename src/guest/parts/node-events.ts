export { EventEmitter } from '../node/events/index.ts';
import { EventEmitter } from '../node/events/index.ts';

export const modules = { events: () => EventEmitter };
