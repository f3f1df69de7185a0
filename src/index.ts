/** The package's entry: run Workers inside your own program. */
import { Runtime, type RuntimeOptions } from './runtime/index.ts';

export { PlatformError } from './errors.ts';
export type { WorkerLimits } from './limits.ts';
export type { Binding, InvocationRecord } from './model.ts';
export type { DeployOptions, Runtime, RuntimeOptions, Usage } from './runtime/index.ts';

/**
 * Starts a runtime in this process. Node must run with `--no-node-snapshot` (isolated-vm asks for it).
 *
 * ```ts
 * await using runtime = await createRuntime();
 * await runtime.deploy('hello', { modules: { 'index.js': 'export default { fetch: () => new Response("hi") }' } });
 * const response = await runtime.fetch('hello', new Request('http://hello/'));
 * ```
 */
export function createRuntime(options: RuntimeOptions = {}): Promise<Runtime> {
  return Runtime.create(options);
}
