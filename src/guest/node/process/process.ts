/** `process`: an emitter that knows the environment and little else. The figures are those that workerd shows. */
import { loadNodeModule, loadPart, nodeEnvironment, now } from '../../core.ts';
import type * as events from '../../parts/node-events.ts';
import { checkInteger, nodeError, notAvailable } from '../errors.ts';
import { nextTick } from './next-tick.ts';

const { EventEmitter } = loadPart('node-events') as typeof events;

// The Node whose API Workers are told to expect, as workerd has it.
const VERSION = '22.19.0';
const startedAt = now();

function createEnv(): Record<string, string> {
  const toText = (value: unknown): string => String(value);
  return new Proxy(nodeEnvironment(), {
    set: (target, key, value) => Reflect.set(target, key, toText(value)),
    defineProperty: (target, key, descriptor) =>
      Reflect.defineProperty(
        target,
        key,
        'value' in descriptor ? { ...descriptor, value: toText(descriptor.value) } : descriptor,
      ),
  });
}

function hrtime(since?: [number, number]): [number, number] {
  const ms = now() - startedAt;
  const seconds = Math.floor(ms / 1e3);
  const nanoseconds = Math.round((ms % 1e3) * 1e6);
  if (since === undefined) return [seconds, nanoseconds];
  const difference = nanoseconds - since[1];
  return difference < 0 ? [seconds - since[0] - 1, difference + 1e9] : [seconds - since[0], difference];
}
hrtime.bigint = (): bigint => BigInt(Math.round((now() - startedAt) * 1e6));

function emitWarning(warning: unknown, ...rest: unknown[]): void {
  const [options] = rest;
  const type = typeof options === 'string' ? options : ((options as { type?: string } | undefined)?.type ?? 'Warning');
  console.warn(warning instanceof Error ? warning : `${type}: ${String(warning)}`);
}

/** A place to write lines to: they go to the console. */
function createOutput(fd: number, write: (line: string) => void): object {
  const stream = {
    fd,
    isTTY: false,
    writable: true,
    columns: 80,
    write(chunk: unknown, ...rest: unknown[]): boolean {
      const text = typeof chunk === 'string' ? chunk : new TextDecoder().decode(chunk as Uint8Array);
      write(text.endsWith('\n') ? text.slice(0, -1) : text);
      const callback = rest.at(-1);
      if (typeof callback === 'function') nextTick(callback);
      return true;
    },
    end: () => stream,
    cork: () => {},
    uncork: () => {},
  };
  return Object.setPrototypeOf(stream, EventEmitter.prototype as object) as object;
}

function missing(name: string): () => never {
  return () => {
    throw notAvailable(`process.${name}`);
  };
}

let exitCode: number | undefined;
let umask = 0o22;
let directory = '/bundle';

const members = {
  title: 'workerd',
  version: `v${VERSION}`,
  versions: { node: VERSION },
  arch: 'x64',
  platform: 'linux',
  release: { name: 'node', lts: true },
  argv: ['workerd'],
  argv0: 'workerd',
  execArgv: [],
  execPath: '',
  config: { target_defaults: {}, variables: {} },
  pid: 1,
  ppid: 0,
  debugPort: 0,
  env: createEnv(),
  features: {
    inspector: false,
    debug: false,
    uv: false,
    ipv6: true,
    tls_alpn: true,
    tls_sni: true,
    tls_ocsp: true,
    tls: true,
    cached_builtins: true,
    require_module: true,
    typescript: false,
  },
  allowedNodeEnvironmentFlags: new Set<string>(),
  moduleLoadList: [] as string[],
  report: undefined,
  stdin: { fd: 0, isTTY: false },
  stdout: createOutput(1, (line) => console.log(line)),
  stderr: createOutput(2, (line) => console.error(line)),
  get exitCode(): number | undefined {
    return exitCode;
  },
  set exitCode(code: number | undefined) {
    if (code !== undefined && code !== null) checkInteger(code, 'code');
    exitCode = code;
  },
  nextTick,
  hrtime,
  emitWarning,
  abort: missing('abort'),
  assert: (value: unknown, message?: string) => {
    if (!value) throw nodeError(Error, 'ERR_ASSERTION', message ?? 'assertion error');
  },
  availableMemory: () => 0,
  binding: missing('binding'),
  chdir: (path: string) => {
    directory = path;
  },
  constrainedMemory: () => 0,
  cpuUsage: () => ({ user: 0, system: 0 }),
  cwd: () => directory,
  dlopen: missing('dlopen'),
  exit: (code?: number): never => {
    throw new Error(`process.exit(${code ?? exitCode ?? 0}) was called: a Worker has no process to end.`);
  },
  getActiveResourcesInfo: () => [],
  getBuiltinModule: (name: string) => loadNodeModule(name),
  getegid: () => 0,
  geteuid: () => 0,
  getgid: () => 0,
  getgroups: () => [],
  getuid: () => 0,
  hasUncaughtExceptionCaptureCallback: () => false,
  kill: missing('kill'),
  loadEnvFile: missing('loadEnvFile'),
  memoryUsage: Object.assign(() => ({ rss: 0, heapTotal: 0, heapUsed: 0, external: 0, arrayBuffers: 0 }), {
    rss: () => 0,
  }),
  reallyExit: missing('reallyExit'),
  resourceUsage: missing('resourceUsage'),
  setUncaughtExceptionCaptureCallback: () => {},
  setSourceMapsEnabled: () => {},
  sourceMapsEnabled: false,
  threadCpuUsage: () => ({ user: 0, system: 0 }),
  umask: (mask?: number) => {
    const before = umask;
    if (mask !== undefined) umask = mask;
    return before;
  },
  uptime: () => (now() - startedAt) / 1e3,
};

class Process {}
Object.setPrototypeOf(Process.prototype, EventEmitter.prototype as object);

/** Methods of the emitter are its own too, for `import { on } from 'node:process'`. */
const emitter = Object.fromEntries(
  Object.entries(EventEmitter.prototype as Record<string, unknown>)
    .filter(([, value]) => typeof value === 'function')
    .map(([name, value]) => [name, (value as () => unknown).bind(members)]),
);

export const process: object = Object.setPrototypeOf(
  Object.defineProperties(members, Object.getOwnPropertyDescriptors(emitter)),
  Process.prototype,
) as object;
Object.defineProperty(process, Symbol.toStringTag, { value: 'process', configurable: true });
