/**
 * Ways to start a cell: in bubblewrap's room; where that cannot be, behind the same two filters alone (the jail); or as
 * an ordinary process. Which one is decided once, by trying.
 */
import { realpathSync } from 'node:fs';
import type { Seal } from '../cell/index.ts';
import { toBubblewrapArgs } from './bubblewrap.ts';
import { listApp, listNode, locateSource, type VisibleFile } from './files.ts';
import { CELL_RLIMITS, OWN_UID_RLIMITS } from './limits.ts';
import { createCellFilter } from './policy.ts';
import { findProgram, type Launch } from './program.ts';
import { isArchitecture } from './syscalls.ts';

export type SandboxKind = 'bubblewrap' | 'jail' | 'off';

/** What a cell is kept in by. A running platform has all that the machine allows; the escape drill takes some away. */
export interface Layers {
  /** A user id of its own, from this one on; undefined for that of the supervisor. */
  readonly firstUid: number | undefined;
  readonly startFilter: boolean;
  readonly serveFilter: boolean;
  /** Node's permission model. */
  readonly permissions: boolean;
  readonly rlimits: boolean;
}

export interface CellLaunch {
  /** Relative to src/. */
  readonly entry: string;
  /** Of Node and V8. */
  readonly flags: readonly string[];
  /** File descriptors from 3 on that the cell inherits. */
  readonly inherited: number;
  /** Of the cell among all cells. */
  readonly index: number;
}

const FIRST_CELL_UID = 64_000; // reserved for allocation on demand by Debian's policy, up to 64,999
const PERMISSIONS = ['net', 'child', 'worker', 'inspector', 'wasi', 'addon', 'ffi', 'fs'];
const KEPT_ENVIRONMENT = ['ISOLA_BENCH_METERING_TURNS', 'ISOLA_NO_SNAPSHOT', 'TZ'];

export class Sandbox {
  readonly kind: SandboxKind;
  readonly layers: Layers;
  /** What cells of this sandbox see beside their own files. For the escape drill. */
  readonly #more: readonly VisibleFile[];

  constructor(kind: SandboxKind, layers: Layers, more: readonly VisibleFile[] = []) {
    this.kind = kind;
    this.layers = layers;
    this.#more = more;
  }

  launch({ entry, flags, inherited, index }: CellLaunch): Launch {
    const { firstUid, startFilter } = this.layers;
    const firstFd = 3 + inherited;
    const isRoom = this.kind === 'bubblewrap';
    const { from, to } = locateSource(entry);
    const nodeArgs = [...flags, ...this.#permissionFlags(), isRoom ? to : from];
    const env = toEnvironment();
    const filter = (pid: number): Buffer => this.#filter('start', isRoom ? 1 : pid);
    const identity = firstUid === undefined ? {} : { uid: firstUid + index, gid: firstUid + index };
    if (isRoom) {
      const args = toBubblewrapArgs({
        env,
        nodeArgs,
        more: this.#more,
        statusFd: firstFd + (startFilter ? 1 : 0),
        filterFd: startFilter ? firstFd : undefined,
      });
      const command = findProgram('bwrap') ?? 'bwrap';
      const feeds = startFilter ? [filter] : [];
      return { ...this.#limited(command, args), ...identity, env: {}, feeds, hasStatus: true };
    }
    const node = realpathSync(process.execPath);
    if (this.kind === 'off' || !startFilter) {
      return { ...this.#limited(node, nodeArgs), ...identity, env, feeds: [], hasStatus: false };
    }
    const jail = ['--disable-warning=ExperimentalWarning', locateSource('cell/jail.ts').from, String(firstFd), node];
    return { ...this.#limited(node, [...jail, ...nodeArgs]), ...identity, env, feeds: [filter], hasStatus: false };
  }

  /** What a cell with this PID is to give up when it is ready. */
  seal(pid: number): Seal {
    const { serveFilter, permissions } = this.layers;
    const filter = serveFilter ? this.#filter('serve', this.kind === 'bubblewrap' ? 1 : pid) : undefined;
    return {
      permissions: permissions ? PERMISSIONS : [],
      ...(filter !== undefined && { filter: filter.toString('base64') }),
    };
  }

  #filter(stage: 'serve' | 'start', pid: number): Buffer {
    const architecture = process.arch;
    if (!isArchitecture(architecture)) throw new Error(`Cannot confine a cell: there is no filter for ${architecture}`);
    return createCellFilter({ architecture, stage, pid });
  }

  #permissionFlags(): string[] {
    if (!this.layers.permissions) return [];
    const isRoom = this.kind === 'bubblewrap';
    const files = [...(isRoom ? [] : listNode()), ...listApp(), ...this.#more].map(({ from, to }) =>
      isRoom ? to : from,
    );
    // The watchdog's list of threads; and node-gyp-build looks whether this is Alpine.
    const readable = [...files, '/proc/self/task', '/etc/alpine-release'];
    const allowed = readable.map((path) => `--allow-fs-read=${path}`);
    return [
      '--disable-warning=SecurityWarning',
      '--permission',
      '--allow-addons',
      '--allow-ffi',
      '--allow-worker',
      ...allowed,
    ];
  }

  #limited(command: string, args: readonly string[]): Pick<Launch, 'args' | 'command'> {
    const prlimit = this.layers.rlimits ? findProgram('prlimit') : undefined;
    if (prlimit === undefined) return { command, args };
    const own = this.layers.firstUid === undefined ? [] : OWN_UID_RLIMITS;
    return { command: prlimit, args: [...CELL_RLIMITS, ...own, command, ...args] };
  }
}

/** All that this machine can be asked for; what it grants, the probes find out. */
export function allLayers(): Layers {
  return {
    firstUid: process.getuid?.() === 0 ? FIRST_CELL_UID : undefined,
    startFilter: true,
    serveFilter: true,
    permissions: true,
    rlimits: findProgram('prlimit') !== undefined,
  };
}

export const NO_LAYERS: Layers = {
  firstUid: undefined,
  startFilter: false,
  serveFilter: false,
  permissions: false,
  rlimits: false,
};

/** Nothing of the operator's environment: it may hold secrets, and a cell needs none of it. */
function toEnvironment(): Record<string, string> {
  return Object.fromEntries(
    KEPT_ENVIRONMENT.flatMap((name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
