/** `FinalizationRegistry` whose callbacks wait for the next entry: outside of one, no limit would apply to them. */
import { reportError } from '../events/index.ts';
import { reflectConstruct } from './intrinsics.ts';
import { replaceConstructor } from './replace.ts';

const NativeRegistry = FinalizationRegistry;
let due: (() => void)[] = [];
/** Is there something to flush? */
export let finalizersAreDue = false;

/** Runs the callbacks that have become due since the last entry. */
export function flushFinalizers(): void {
  finalizersAreDue = false;
  const batch = due;
  due = [];
  for (let i = 0; i < batch.length; i++) {
    try {
      batch[i]!();
    } catch (error) {
      reportError(error);
    }
  }
}

function GuestFinalizationRegistry(this: unknown, callback: unknown): object {
  if (new.target === undefined) throw new TypeError("Constructor FinalizationRegistry requires 'new'");
  if (typeof callback !== 'function') throw new TypeError('FinalizationRegistry: cleanup must be callable');
  const queue = (held: unknown): void => {
    finalizersAreDue = true;
    due[due.length] = () => {
      (callback as (held: unknown) => void)(held);
    };
  };
  return reflectConstruct(NativeRegistry, [queue], new.target) as object;
}

/** Puts the queueing registry in place of the built-in one. */
export function installFinalization(): void {
  replaceConstructor('FinalizationRegistry', NativeRegistry, GuestFinalizationRegistry);
}
