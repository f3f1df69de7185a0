/** Globals whose code is loaded when a Worker first names them: see parts.ts. */
import { URL } from '../url/index.ts';
import { requireArguments, toUSVString } from '../webidl.ts';
import { defineLazy, type Factory, loadPart, runPart } from './parts.ts';

/** Interfaces by the part that has them. */
const LAZY_INTERFACES: Readonly<Record<string, readonly string[]>> = {
  caches: ['Cache', 'CacheStorage'],
  compression: ['CompressionStream', 'DecompressionStream'],
  'event-source': ['EventSource'],
  events: ['CloseEvent', 'CustomEvent', 'ErrorEvent', 'MessageEvent', 'PromiseRejectionEvent'],
  forms: ['Blob', 'File', 'FormData'],
  'quota-exceeded-error': ['QuotaExceededError'],
  streams: [
    'ByteLengthQueuingStrategy',
    'CountQueuingStrategy',
    'FixedLengthStream',
    'IdentityTransformStream',
    'ReadableByteStreamController',
    'ReadableStream',
    'ReadableStreamBYOBReader',
    'ReadableStreamBYOBRequest',
    'ReadableStreamDefaultController',
    'ReadableStreamDefaultReader',
    'TextDecoderStream',
    'TextEncoderStream',
    'TransformStream',
    'TransformStreamDefaultController',
    'WritableStream',
    'WritableStreamDefaultController',
    'WritableStreamDefaultWriter',
  ],
  subtle: ['CryptoKey', 'SubtleCrypto'],
  'web-socket': ['WebSocket', 'WebSocketPair'],
  'html-rewriter': ['HTMLRewriter'],
  performance: [
    'PerformanceEntry',
    'PerformanceMark',
    'PerformanceMeasure',
    'PerformanceObserver',
    'PerformanceObserverEntryList',
  ],
  'service-worker': ['ExtendableEvent', 'FetchEvent', 'ScheduledEvent'],
  scheduler: ['TaskController', 'TaskPriorityChangeEvent', 'TaskSignal'],
  messaging: ['MessageChannel', 'MessagePort'],
  'url-pattern': ['URLPattern'],
};

export function installLazyGlobals(): void {
  Object.assign(URL, OBJECT_URLS);
  for (const [part, names] of Object.entries(LAZY_INTERFACES)) {
    for (const name of names) {
      defineLazy(globalThis, name, () => loadPart(part)[name], false);
    }
  }
  defineLazy(globalThis, 'caches', () => loadPart('caches')['caches'], true);
}

/** What blobs add to `URL`. */
const OBJECT_URLS = {
  createObjectURL(object: unknown): unknown {
    requireArguments(arguments.length, 1, "Failed to execute 'createObjectURL' on 'URL'");
    return (loadPart('local-urls')['createObjectURL'] as (object: unknown) => unknown)(object);
  },
  revokeObjectURL(url: unknown): void {
    requireArguments(arguments.length, 1, "Failed to execute 'revokeObjectURL' on 'URL'");
    (loadPart('local-urls')['revokeObjectURL'] as (url: string) => void)(toUSVString(url));
  },
};

/** Loads a part for something else than its globals, which are then there as well: plain properties like any other. */
export function loadInterfaces(part: string): object {
  const loaded = loadPart(part);
  const names = LAZY_INTERFACES[part]!;
  const global = globalThis as unknown as Record<string, unknown>;
  for (let i = 0; i < names.length; i++) void global[names[i]!];
  return loaded;
}

/** While a snapshot is made: isolates that begin from it have the part, and its globals, from the start. */
export function preload(part: string, factory: unknown): void {
  runPart(part, factory as Factory);
  for (const name of LAZY_INTERFACES[part] ?? []) Reflect.get(globalThis, name);
}
