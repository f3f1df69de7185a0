/** A guest in a real isolate for tests: entries go in, host calls are recorded. */
import { gunzipSync } from 'node:zlib';
import ivm from 'isolated-vm';
import { type ConfigureOptions, ENTER, HOST_SYNC } from '../abi.ts';
import { buildGuest, type GuestScript, WARMUP } from '../build/index.ts';

export type HostCall = [op: number, id: number, a?: unknown, b?: unknown, c?: unknown, d?: unknown];

export interface TestGuest {
  /** Names of the handlers found by `attach`. */
  readonly handlers: string;
  /** Host calls since the last look, in order; `undefined` arguments at the end are cut off. */
  calls(): HostCall[];
  enter(op: number, id: number, a?: unknown, b?: unknown, c?: unknown, now?: number): void;
  /** Enters a fetch event and returns the host calls it made. */
  fetch(url: string, options?: FetchOptions): HostCall[];
  /** Runs an expression in the isolate, as code of the tenant would; answers its result as a string. */
  evaluate(expression: string): string;
  /** Provides a module that is not JavaScript; code to evaluate finds it as `take(index)`. */
  provide(kind: string, bytes: ArrayBuffer): number;
  dispose(): void;
}

interface FetchOptions {
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly stream?: number;
}

let script: Promise<GuestScript> | undefined;
let snapshot: Promise<ivm.ExternalCopy<ArrayBuffer>> | undefined;

async function loadSnapshot(): Promise<ivm.ExternalCopy<ArrayBuffer>> {
  const { source } = await (script ??= buildGuest());
  return ivm.Isolate.createSnapshot([{ code: source }], WARMUP);
}

export async function createGuest(
  code: string,
  { bindings = [], subrequests = 50, maxTimers = 100 }: Partial<ConfigureOptions> & { maxTimers?: number } = {},
): Promise<TestGuest> {
  snapshot ??= loadSnapshot();
  const isolate = new ivm.Isolate({ memoryLimit: 64, snapshot: await snapshot });
  const context = isolate.createContextSync();
  let recorded: HostCall[] = [];
  const record = (...call: unknown[]): void => {
    while (call.length > 2 && call.at(-1) === undefined) call.pop();
    recorded.push(call as HostCall);
  };
  const { parts, assets } = await (script ??= buildGuest());
  const answer = (op: number, a: unknown): unknown => {
    if (op === HOST_SYNC.source) return parts[a as string];
    if (op === HOST_SYNC.asset) {
      return new Uint8Array(gunzipSync(Buffer.from(assets[a as string]!, 'base64'))).buffer;
    }
    return typeof a === 'number' ? new ArrayBuffer(a) : undefined;
  };
  const entries = context.evalClosureSync(
    'const isola = __isola; delete globalThis.__isola; return isola.boot($0, $1, $2, $3)',
    [
      new ivm.Callback(record),
      new ivm.Callback(record, { ignored: true }),
      new ivm.Callback(answer),
      JSON.stringify({ now: 1000, maxTimers, maxPendingHostCalls: 100, maxWasmInstances: 4, memoryMiB: 128 }),
    ],
    { result: { reference: true } },
  ) as ivm.Reference<Record<string, unknown>>;
  const entry = entries.getSync('enter', { reference: true });
  const options: ConfigureOptions = { bindings, compatibilityDate: '2026-01-01', compatibilityFlags: [], subrequests };
  entries.getSync('configure', { reference: true }).applySync(undefined, [JSON.stringify(options)] as never);
  const module = isolate.compileModuleSync(code, { filename: 'index.js' });
  module.instantiateSync(context, () => {
    throw new Error('A test module imports nothing');
  });
  module.evaluateSync();
  const attach = entries.getSync('attach', { reference: true });
  const handlers = attach.applySync(undefined, [module.namespace.derefInto()] as never) as string;
  let lastInvocation = 0;

  const guest: TestGuest = {
    handlers,
    calls() {
      const calls = recorded;
      recorded = [];
      return calls;
    },
    enter(op, id, a, b, c, now = 2000) {
      entry.applySync(undefined, [op, id, a, b, c, now, false] as never, { arguments: { copy: true } });
    },
    fetch(url, { method = 'GET', headers = [], body, stream = 0 } = {}) {
      const bytes = body === undefined ? undefined : new TextEncoder().encode(body).buffer;
      guest.enter(ENTER.fetch, ++lastInvocation, [method, url, ...headers].join('\n'), bytes, stream);
      return guest.calls();
    },
    evaluate: (expression) => String(context.evalSync(`String(${expression})`)),
    provide: (kind, bytes) => {
      context.global.setSync('take', entries.getSync('take', { reference: true }).derefInto());
      const provide = entries.getSync('provide', { reference: true });
      return provide.applySync(undefined, [kind, bytes] as never, { arguments: { copy: true } }) as number;
    },
    dispose: () => {
      isolate.dispose();
    },
  };
  return guest;
}

export function toBytes(text: string): ArrayBuffer {
  return new TextEncoder().encode(text).buffer;
}

export function fromBytes(bytes: unknown): string {
  return new TextDecoder().decode(bytes as ArrayBuffer);
}
