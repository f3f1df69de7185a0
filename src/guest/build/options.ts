/** What the bundles have in common, and where the sources are. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BuildOptions } from 'esbuild';
import { streamsModule } from './streams-source.ts';

export const GUEST = fileURLToPath(new URL('..', import.meta.url));
export const PARTS = join(GUEST, 'parts');

export const COMMON = {
  bundle: true,
  write: false,
  metafile: true,
  platform: 'neutral',
  mainFields: ['module', 'main'],
  target: 'esnext',
  // Not `keepNames`: it would give each function a `name` property of its own, 370 kB of heap in every isolate. What
  // shows in a Worker gets its name back where it is put on the global.
  minify: true,
  charset: 'ascii',
  legalComments: 'none',
  absWorkingDir: GUEST,
  alias: { 'web-streams-polyfill': streamsModule(join(GUEST, 'shared.ts')) },
  logLevel: 'silent',
} satisfies BuildOptions;

/** What a part finds in the isolate, as it names it. */
export const CORE = ['*/core.ts', '*/shared.ts'];
