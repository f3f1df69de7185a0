/** What `isola doctor` says about confinement: each layer, whether this machine has it, and how to get it. */
import { execFileSync } from 'node:child_process';
import { CellGroups } from './cgroup.ts';
import type { Chosen } from './choose.ts';
import { createCellFilter } from './policy.ts';
import { findProgram } from './program.ts';
import { isArchitecture } from './syscalls.ts';

export interface LayerReport {
  readonly name: string;
  readonly isOn: boolean;
  /** What it does; or why it is not there, and how to have it. */
  readonly detail: string;
}

const INSTRUCTION_BYTES = 8;

export function reportLayers({ sandbox, missing }: Chosen): LayerReport[] {
  const { kind, layers } = sandbox;
  const report = (name: string, isOn: boolean, what: string, effect: string): LayerReport => {
    const reason = missing.find((one) => one.what === what || one.what === 'every layer');
    const why = reason === undefined ? 'not without a sandbox' : `${reason.why}; to have it, ${reason.remedy}`;
    return { name, isOn, detail: isOn ? effect : why };
  };
  const isRoom = kind === 'bubblewrap';
  const noneAtAll = kind === 'off' ? 'jail' : '';
  return [
    report('namespaces', isRoom, 'bubblewrap', `${bubblewrapVersion()}: no network, files or processes of the host`),
    report('filter 1', layers.startFilter, noneAtAll, `seccomp, ${sizeOf('start')}, before Node starts`),
    report(
      'filter 2',
      layers.serveFilter,
      noneAtAll,
      `seccomp, ${sizeOf('serve')}, before the first tenant: no exec, no open`,
    ),
    report('permissions', layers.permissions, noneAtAll, "Node's model, everything dropped before the first tenant"),
    report(
      'own uid',
      layers.firstUid !== undefined,
      kind === 'off' ? 'jail' : 'own uid',
      `from ${layers.firstUid} on, one per cell`,
    ),
    report(
      'rlimits',
      layers.rlimits,
      kind === 'off' ? 'jail' : 'rlimits',
      'no core dumps, no files, few descriptors and threads',
    ),
    reportMemory(),
  ];
}

function reportMemory(): LayerReport {
  const problem = CellGroups.problem();
  const detail =
    problem === undefined
      ? 'a cgroup for each cell: the kernel ends it at --cell-memory-mib'
      : `watched alone, five times a second (--cell-memory-mib): ${problem}`;
  return { name: 'memory', isOn: problem === undefined, detail };
}

function sizeOf(stage: 'serve' | 'start'): string {
  const architecture = process.arch;
  if (!isArchitecture(architecture)) return `none for ${architecture}`;
  return `${createCellFilter({ architecture, stage, pid: 1 }).length / INSTRUCTION_BYTES} instructions`;
}

function bubblewrapVersion(): string {
  try {
    return execFileSync(findProgram('bwrap') ?? 'bwrap', ['--version'], { encoding: 'utf8' }).trim();
  } catch {
    return 'bubblewrap';
  }
}
