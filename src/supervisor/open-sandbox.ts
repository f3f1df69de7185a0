/** How the cells of this platform are confined: decided once, at the start, and told to the operator. */
import {
  allowNice,
  type Chosen,
  chooseSandbox,
  closeOnExec,
  type Missing,
  type SandboxMode,
} from '../confine/index.ts';
import type { PlatformEvent } from './platform.ts';

/** What a cell dies of when it asks the kernel for something that only an intruder wants (confine/policy.ts). */
export const TRIPWIRE_SIGNAL = 'SIGSYS';
export const TRIPWIRE_ALARM =
  'A cell made a system call that no code of ours makes, and was ended: somebody may have broken out of an isolate. ' +
  'Look at what ran there (logs/invocations.jsonl), and at the age of V8 (isola doctor).';

export interface OpenSandboxOptions {
  readonly mode: SandboxMode;
  readonly isRequired: boolean;
  readonly onEvent: (event: PlatformEvent) => void;
}

/** Throws when what was asked for by name, or required, is not to be had. */
export async function openSandbox({ mode, isRequired, onEvent }: OpenSandboxOptions): Promise<Chosen> {
  const chosen = await chooseSandbox(mode);
  const { sandbox, missing } = chosen;
  if ((mode !== 'auto' && sandbox.kind !== mode) || (isRequired && sandbox.kind !== 'bubblewrap')) {
    const reasons = missing.map(describe).join('; ');
    const what = isRequired ? 'bubblewrap, which --require-sandbox asks for' : mode;
    throw new Error(`Cannot confine cells with ${what}: ${reasons}`);
  }
  if (process.getuid?.() === 0) allowNice();
  for (const { fd, target } of closeOnExec()) {
    onEvent({
      event: 'warning',
      message: `File descriptor ${fd} (${target}) was handed to isola; cells do not get it`,
    });
  }
  onEvent({ event: 'sandbox', kind: sandbox.kind, missing: missing.map(({ what, why }) => `${what}: ${why}`) });
  const message = toWarning(chosen, process.getuid?.() === 0);
  if (message !== undefined) onEvent({ event: 'warning', message });
  return chosen;
}

/** What the operator has to hear, if anything. */
export function toWarning({ sandbox, missing }: Chosen, isRoot: boolean): string | undefined {
  const reasons = missing.map(describe).join('; ');
  if (sandbox.kind === 'off') {
    return `CELLS ARE NOT CONFINED. Code that breaks out of V8 can do whatever this user can do. ${reasons}`;
  }
  if (sandbox.kind === 'jail') {
    return `Cells are confined by system call filters alone, without namespaces. ${reasons}`;
  }
  // For an ordinary user cells have that user's id, as was to be expected. Root's cells would be root, too.
  return isRoot && missing.length > 0 ? `Cells lack a layer of confinement. ${reasons}` : undefined;
}

function describe({ what, why, remedy }: Missing): string {
  return `no ${what} (${why}; to have it, ${remedy})`;
}
