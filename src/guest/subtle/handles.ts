/** Handles of what the host keeps for this isolate, freed when they have been collected. */
import { askSync, finalizationRegister } from '../core.ts';

/** Shared by a key and its clones; when the last has gone, so has what the host keeps. */
export interface Handle {
  readonly id: number;
}

/**
 * Elements of an array that each handle has for its weight, 2 KiB: what the host keeps for it, V8 does not see, and
 * would often find no reason to collect before there are too many.
 */
const WEIGHT = 256;
const COLLECT_AT = 5_000; // handles: half of what the host keeps
const COLLECT_STEP = 2_500; // more, for the next time
const TOO_MANY_BYTES = 2 ** 40; // for any isolate

let live = 0;
let collectAt = COLLECT_AT;
let freed = '';
const handles = new FinalizationRegistry<number>((id) => {
  live--;
  freed += freed === '' ? `${id}` : `,${id}`;
});

/** Of something that the host keeps until this is collected. */
export function createHandle(id: number): Handle {
  const handle = { id, weight: Array<undefined>(WEIGHT) };
  live++;
  finalizationRegister(handles, handle, id);
  return handle;
}

/** Tells the host which handles have been collected: before it is asked for new ones. */
export function freeHandles(): void {
  if (freed !== '') {
    askSync('crypto.free', freed);
    freed = '';
    collectAt = live + COLLECT_STEP > COLLECT_AT ? live + COLLECT_STEP : COLLECT_AT;
  }
  if (live >= collectAt) {
    collectAt = live + COLLECT_STEP;
    collectGarbage();
  }
}

/** Takes 20 ms. Whose memory does not suffice, V8 collects all it can before it says so. */
function collectGarbage(): void {
  try {
    // oxlint-disable-next-line no-new -- it will not be
    new ArrayBuffer(TOO_MANY_BYTES);
  } catch {
    // As it should.
  }
}
