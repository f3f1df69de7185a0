/**
 * Makes the code of a version ready for `AsyncLocalStorage`: V8 offers an embedder no way to follow a context through
 * `await`, so that the code itself has to say where it waits.
 *
 * Called by whoever takes in code: the control API and the embedded runtime. Only versions that may use
 * `AsyncLocalStorage` are touched, by their flags and by what their modules mention; all others pass as they are.
 * Promise: lines stay where they are, and source maps are kept in step. What cannot be amended (code that does not parse,
 * a thread that takes too long) stays as it is; it runs, and loses the context at each `await`.
 * Start at amend.ts.
 */
import { Worker } from 'node:worker_threads';
import type { ModuleSource } from '../model.ts';
import { decodeDataUrl, findMap, isSameName, toMapFiles } from '../source-maps/index.ts';
import type { AmendJob, AmendResult } from './amend-thread.ts';

export interface Sources {
  readonly modules: readonly ModuleSource[];
  readonly sourceMaps: readonly ModuleSource[];
}

const FLAGS = ['nodejs_compat', 'nodejs_compat_v2', 'nodejs_als'];
const MENTIONS = ['AsyncLocalStorage', 'async_hooks', 'AsyncResource'];
const MAX_MS = 10_000; // 10 MB of minified code take a second
const MAX_HEAP_MIB = 1_024;
const STACK_MIB = 64; // the parser recurses, and minified code nests deeply

/** The same modules and maps, amended where that is called for. */
export async function amendForAsyncContext(sources: Sources, flags: readonly string[]): Promise<Sources> {
  if (!flags.some((flag) => FLAGS.includes(flag))) return sources;
  const scripts = sources.modules.filter(isScript);
  if (!scripts.some(({ content }) => mentions(content))) return sources;
  const jobs = await Promise.all(scripts.map((module) => toJob(module, sources)));
  const results = await runThread(jobs);
  if (results === undefined) return sources;
  const amended = new Map(scripts.map((module, i) => [module, results[i]]));
  const maps = scripts.flatMap(({ name }, i): ModuleSource[] => {
    const map = results[i]?.map;
    return map === undefined ? [] : [{ name: `${name}.map`, kind: 'data', content: Buffer.from(map, 'utf8') }];
  });
  return {
    modules: sources.modules.map((module) => {
      const content = amended.get(module as Script)?.content;
      return content === undefined ? module : { ...module, content };
    }),
    sourceMaps: [...sources.sourceMaps.filter((old) => !maps.some((map) => isSameName(map.name, old.name))), ...maps],
  };
}

interface Script extends ModuleSource {
  readonly kind: 'cjs' | 'esm';
}

function isScript(module: ModuleSource): module is Script {
  return module.kind === 'cjs' || module.kind === 'esm';
}

function mentions(content: Uint8Array): boolean {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  return MENTIONS.some((word) => bytes.includes(word));
}

async function toJob({ name, kind, content }: Script, { modules, sourceMaps }: Sources): Promise<AmendJob> {
  const found = await findMap(toMapFiles(modules, sourceMaps), name);
  const text = found === undefined ? undefined : Buffer.from(found.bytes).toString('utf8');
  return { name, kind, content, map: found?.format === 'dataUrl' ? tryDecode(text!) : text };
}

function tryDecode(url: string): string | undefined {
  try {
    return decodeDataUrl(url);
  } catch {
    return undefined;
  }
}

/** Undefined when the thread did not manage. */
function runThread(jobs: readonly AmendJob[]): Promise<readonly AmendResult[] | undefined> {
  return new Promise((resolve) => {
    const thread = new Worker(new URL('./amend-thread.ts', import.meta.url), {
      workerData: jobs,
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB, stackSizeMb: STACK_MIB },
    });
    const timer = setTimeout(() => void thread.terminate(), MAX_MS);
    thread.once('message', resolve);
    // Out of memory, most likely. `exit` follows.
    thread.on('error', () => {});
    thread.once('exit', () => {
      clearTimeout(timer);
      resolve(undefined);
    });
  });
}
