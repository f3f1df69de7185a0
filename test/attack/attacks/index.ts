/** All attacks. They run in this order; each is a Worker of its own. */
import type { Attack } from '../attack.ts';
import { BIG_INTS, BUILTINS, REGEXES, STRINGS } from './builtins.ts';
import { EVENTS, FLOODS, HEADERS, SOCKETS, STARTS, STORES, STREAMS } from './floods.ts';
import { LOOPS } from './loops.ts';
import { MEMORY } from './memory.ts';
import { CODE, HOST, PROTOTYPES } from './powers.ts';
import { ASYNC, ERRORS, RECURSION } from './turns.ts';
import { WASM } from './wasm.ts';

export const ATTACKS: readonly Attack[] = [
  ...LOOPS,
  ...ASYNC,
  ...ERRORS,
  ...RECURSION,
  ...REGEXES,
  ...STRINGS,
  ...BIG_INTS,
  ...BUILTINS,
  ...MEMORY,
  ...WASM,
  ...CODE,
  ...HOST,
  ...PROTOTYPES,
  ...FLOODS,
  ...HEADERS,
  ...STREAMS,
  ...SOCKETS,
  ...STORES,
  ...EVENTS,
  ...STARTS,
];
