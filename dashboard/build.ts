/**
 * Builds the dashboard into the folder of the first argument. A process of its own: src/cli/dashboard.ts starts it, and
 * the platform never loads the bundler.
 */
import { resolve } from 'node:path';
import { build } from 'vite';

const [outDir] = process.argv.slice(2);
if (outDir === undefined) throw new Error('usage: build.ts <folder>');

await build({
  configFile: false,
  root: import.meta.dirname,
  base: '/dashboard/',
  logLevel: 'warn',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: resolve(outDir),
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0, // the pages' policy allows no data: URLs
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 1_000, // KiB: the editor; test/dashboard/serving.test.ts has the limit that matters
  },
});
