/**
 * The thread that reads source maps: see source-mapper.ts. A map may exhaust its memory or its time; then the thread is
 * ended, with everything it remembers.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { LruCache } from '../lru-cache.ts';
import { decodeDataUrl, type MapFile } from './map-files.ts';
import { listModules, mapStack } from './map-stack.ts';
import { type ParsedMap, type ParseOptions, parseMap } from './parsed-map.ts';
import type { FromThread, MapJob, ToThread } from './thread-messages.ts';

const MAX_MODULES = 16; // with frames in one job
const CACHE_COST = 128 * 1024 * 1024; // see MAX_HEAP_MIB: the rest is for reading one large map
const NO_MAP: ParsedMap = { cost: 1_024, findOrigin: () => undefined };

const options = workerData as ParseOptions;
const cache = new LruCache<ParsedMap>(CACHE_COST);
let current: { readonly job: MapJob; readonly missing: readonly string[] } | undefined;

parentPort?.on('message', (message: ToThread) => {
  if (message.type === 'job') {
    const missing = listModules(message.texts, MAX_MODULES).filter((module) => !cache.has(toKey(message.key, module)));
    if (missing.length === 0) return answer(message, new Map());
    current = { job: message, missing };
    return send({ type: 'missing', modules: missing });
  }
  if (current === undefined) return;
  const { job, missing } = current;
  current = undefined;
  const fresh = new Map<string, ParsedMap>();
  for (const [i, module] of missing.entries()) {
    const map = read(message.files[i]);
    fresh.set(module, map);
    cache.set(toKey(job.key, module), map, map.cost);
  }
  answer(job, fresh);
});

/** `fresh`: maps of this job; one that is too large to be remembered is only here. */
function answer({ key, texts }: MapJob, fresh: ReadonlyMap<string, ParsedMap>): void {
  const mapped = texts.map((text) =>
    mapStack(text, (module, line, column) => {
      const map = fresh.get(module) ?? cache.get(toKey(key, module));
      return map?.findOrigin(line, column);
    }),
  );
  send({ type: 'done', texts: mapped });
}

function read(file: MapFile | undefined): ParsedMap {
  if (file === undefined) return NO_MAP;
  try {
    const text = Buffer.from(file.bytes.buffer, file.bytes.byteOffset, file.bytes.byteLength).toString('utf8');
    return parseMap(file.format === 'json' ? text : decodeDataUrl(text), options);
  } catch {
    return NO_MAP; // its author's tools made it; stacks stay as V8 wrote them
  }
}

function toKey(key: string, module: string): string {
  return `${key}\n${module}`;
}

function send(message: FromThread): void {
  parentPort?.postMessage(message);
}
