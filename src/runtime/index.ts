/**
 * isola as a library: one cell inside the caller's program. Same engine and limits, no sandbox around the process.
 * Called by whoever imports `isola`, and by `isola dev`. Start at runtime.ts.
 */
export { type DeployOptions, Runtime, type RuntimeOptions, type Usage } from './runtime.ts';
