/**
 * Confinement of cells: what keeps somebody who has broken out of V8 in an empty room. Called by the supervisor, which
 * starts cells, and by `isola doctor`. Knows nothing of what cells do.
 * Promise: a cell that is started in a sandbox has every layer that the sandbox names, or it does not start.
 * Start at sandbox.ts; policy.ts is what the kernel is told, choose.ts how a machine is tried.
 */
export { type CellGroup, CellGroups } from './cgroup.ts';
export { type Chosen, chooseSandbox, type Missing, type SandboxMode } from './choose.ts';
export { closeOnExec } from './descriptors.ts';
export { allowNice } from './limits.ts';
export { feed, type Launch } from './program.ts';
export { type LayerReport, reportLayers } from './report.ts';
export { allLayers, type Layers, NO_LAYERS, Sandbox, type SandboxKind } from './sandbox.ts';
