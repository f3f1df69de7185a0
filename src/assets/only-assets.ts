import type { VersionCode } from '../model.ts';

const NAME = 'ASSETS';
const SOURCE = `export default { fetch(request, env) { return env.${NAME}.fetch(request); } };`;

/** What runs of a version that has nothing but files, where a Worker is called that no gateway stands before. */
export function toAssetsWorker({ spec }: Pick<VersionCode, 'spec'>): VersionCode {
  const main = { name: 'assets.js', kind: 'esm', content: Buffer.from(SOURCE) } as const;
  return { spec: { ...spec, mainModule: main.name, bindings: [{ type: 'assets', name: NAME }] }, modules: [main] };
}
