/**
 * The platform as `isola serve` starts it, but each of its cells is confined by what LAYERS_VARIABLE says for its number:
 * for the bench alone, to see what each layer costs beside the others in one platform. Arguments are those of `isola`.
 */
import { assembleFilter, type Rule } from '../../src/confine/bpf.ts';
import { allLayers, type Layers, NO_LAYERS, Sandbox, type SandboxKind } from '../../src/confine/index.ts';
import { type Architecture, isArchitecture } from '../../src/confine/syscalls.ts';
import { LAYERS_VARIABLE, type Variant } from './layers.ts';

interface Confinement {
  readonly kind: SandboxKind;
  readonly layers: Partial<Layers>;
  /** Filters that allow everything in the place of ours. */
  readonly hasEmptyFilters?: boolean;
}

const all = allLayers();
const BY_VARIANT: Readonly<Record<Variant, Confinement>> = {
  nothing: { kind: 'off', layers: {} },
  'uid and limits': { kind: 'off', layers: { firstUid: all.firstUid, rlimits: all.rlimits } },
  permissions: { kind: 'off', layers: { permissions: true } },
  room: { kind: 'bubblewrap', layers: {} },
  'both filters': { kind: 'jail', layers: { startFilter: true, serveFilter: true } },
  'empty filters': { kind: 'jail', layers: { startFilter: true, serveFilter: true }, hasEmptyFilters: true },
  everything: { kind: 'bubblewrap', layers: all },
};

const { arch } = process;
if (!isArchitecture(arch)) throw new Error(`Cannot compare layers: there is no filter for ${arch}`);
const variants = JSON.parse(process.env[LAYERS_VARIABLE] ?? '[]') as Variant[];
// oxlint-disable-next-line unbound-method -- called with a `this` of their own below
const plain = { launch: Sandbox.prototype.launch, seal: Sandbox.prototype.seal };
let latest: Confinement = BY_VARIANT.everything;

// A cell is launched and then sealed before another one is launched (supervisor/cell-process.ts).
Sandbox.prototype.launch = function launch(cell) {
  if (cell.entry !== 'cell/main.ts') return plain.launch.call(this, cell);
  latest = BY_VARIANT[variants[cell.index] ?? 'everything'];
  const started = plain.launch.call(toSandbox(latest), cell);
  return latest.hasEmptyFilters === true ? { ...started, feeds: [() => emptyFilter(arch)] } : started;
};
Sandbox.prototype.seal = function seal(pid) {
  const told = plain.seal.call(toSandbox(latest), pid);
  return latest.hasEmptyFilters === true ? { ...told, filter: emptyFilter(arch).toString('base64') } : told;
};
await import('../../src/cli/main.ts');

function toSandbox({ kind, layers }: Confinement): Sandbox {
  return new Sandbox(kind, { ...NO_LAYERS, ...layers });
}

/** Only what libuv and libc must not meet as they start, since they are told so with every filter. */
function emptyFilter(architecture: Architecture): Buffer {
  const rules = ['io_uring_setup', 'clone3'].map((syscall): Rule => ({ syscall, verdict: { errno: 38 } }));
  return assembleFilter({ architecture, otherwise: 'allow', rules });
}
