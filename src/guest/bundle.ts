/** Entry of the guest bundle: runs once, while the snapshot is made. */
import type { GuestBoot } from './abi.ts';
import { boot, installGlobals, preload } from './runtime/index.ts';
import { setBaseUrl } from './url/index.ts';

installGlobals();
(globalThis as unknown as { __isola: GuestBoot }).__isola = { boot, preload, setBaseUrl };
