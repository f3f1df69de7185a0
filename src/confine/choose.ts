/** Which sandbox this machine can have: tried, not guessed. What it cannot have is told with the reason. */
import { allLayers, type Layers, NO_LAYERS, Sandbox, type SandboxKind } from './sandbox.ts';
import { findProgram, tryLaunch } from './program.ts';
import { isArchitecture } from './syscalls.ts';

export type SandboxMode = 'auto' | SandboxKind;

export interface Chosen {
  readonly sandbox: Sandbox;
  /** Why it is not bubblewrap with everything; one line each. */
  readonly missing: readonly Missing[];
}

export interface Missing {
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
}

const INSTALL = 'install it: apt-get install bubblewrap';
const USER_NAMESPACES =
  'allow unprivileged user namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu; in Docker, ' +
  '--security-opt seccomp=unconfined), or run as root';

/** The best that works of what `mode` permits. Never throws: at worst cells are ordinary processes. */
export async function chooseSandbox(mode: SandboxMode): Promise<Chosen> {
  const missing: Missing[] = [];
  if (mode === 'off') {
    return { sandbox: off(), missing: [{ what: 'every layer', why: '--sandbox off', remedy: 'leave the option out' }] };
  }
  if (mode !== 'jail') {
    const tried = await tryBubblewrap(missing);
    if (tried !== undefined) return { sandbox: tried, missing };
  }
  if (mode !== 'bubblewrap') {
    if (mode === 'jail') missing.push({ what: 'bubblewrap', why: '--sandbox jail', remedy: 'leave the option out' });
    const tried = await tryKind('jail', missing);
    if (tried !== undefined) return { sandbox: tried, missing };
  }
  return { sandbox: off(), missing };
}

async function tryBubblewrap(missing: Missing[]): Promise<Sandbox | undefined> {
  if (findProgram('bwrap') === undefined) {
    missing.push({ what: 'bubblewrap', why: 'bwrap is not installed', remedy: INSTALL });
    return undefined;
  }
  return await tryKind('bubblewrap', missing);
}

async function tryKind(kind: 'bubblewrap' | 'jail', missing: Missing[]): Promise<Sandbox | undefined> {
  if (process.platform !== 'linux' || !isArchitecture(process.arch)) {
    const why = `there is none for ${process.platform} ${process.arch}`;
    missing.push({ what: kind, why, remedy: 'run isola on Linux, x64 or arm64' });
    return undefined;
  }
  const layers = allLayers();
  if (!layers.rlimits) {
    missing.push({ what: 'rlimits', why: 'prlimit is not installed', remedy: 'install util-linux' });
  }
  if (layers.firstUid === undefined) {
    missing.push({ what: 'own uid', why: 'isola does not run as root', remedy: 'start it as root' });
  }
  let failure = await probe(kind, layers);
  if (failure === undefined) return new Sandbox(kind, layers);
  if (layers.firstUid !== undefined) {
    const shared: Layers = { ...layers, firstUid: undefined };
    const failureWithoutUid = await probe(kind, shared);
    if (failureWithoutUid === undefined) {
      const remedy = 'install isola where every user can read it, and run it where further user ids are there';
      missing.push({ what: 'own uid', why: failure, remedy });
      return new Sandbox(kind, shared);
    }
    failure = failureWithoutUid;
  }
  const remedy = kind === 'jail' ? 'use a kernel with seccomp, 5.11 or later' : USER_NAMESPACES;
  missing.push({ what: kind, why: failure, remedy });
  return undefined;
}

/** Starts Node as a cell would be, to print nothing and end: with every layer but the ones that a cell adds itself. */
function probe(kind: 'bubblewrap' | 'jail', layers: Layers): Promise<string | undefined> {
  const launch = new Sandbox(kind, layers).launch({ entry: 'confine/nothing.ts', flags: [], inherited: 0, index: 0 });
  return tryLaunch(launch);
}

function off(): Sandbox {
  return new Sandbox('off', NO_LAYERS);
}
