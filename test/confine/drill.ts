/**
 * The escape drill: an intruder in a cell's place, behind one layer at a time, then behind all of them.
 *
 * Which layer has to stop which attempt stands in EXPECTED. That an attempt gets through where nothing stops it shows
 * that it is one. `npm run drill` (main.ts) prints the table.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { once } from 'node:events';
import { assembleFilter, type Rule } from '../../src/confine/bpf.ts';
import { allLayers, type Launch, type Layers, NO_LAYERS, Sandbox, type SandboxKind } from '../../src/confine/index.ts';
import type { Architecture } from '../../src/confine/syscalls.ts';
import { startChild } from '../../src/supervisor/child.ts';
import { ATTEMPTS } from './attempts.ts';
import type { Orders } from './orders.ts';
import { hasOwnUid } from './own-uid.ts';

export const COLUMNS = ['nothing', 'uid', 'permissions', 'room', 'filter 1', 'filter 2', 'jail', 'all'] as const;
export type Column = (typeof COLUMNS)[number];
export type Outcome = string;

/**
 * Single layers that must stop an attempt, each alone; `jail` and `all` must stop every one. With the uid come the
 * limits of the process. A machine may stop more by itself: the kernel's settings for perf_event_open, for instance.
 */
export const EXPECTED: Readonly<Record<string, readonly Column[]>> = {
  'Node: read a file of the operator': ['uid', 'permissions', 'room', 'filter 2'],
  'Node: write a file': ['uid', 'permissions', 'room', 'filter 1', 'filter 2'],
  'Node: connect to a service of the host': ['permissions', 'room', 'filter 1', 'filter 2'],
  'Node: start a process': ['permissions', 'filter 1', 'filter 2'],
  'Node: start a thread': ['permissions'],
  'Node: load native code': ['permissions'],
  'open a file of the operator': ['uid', 'room', 'filter 2'],
  'write a file': ['room', 'filter 1', 'filter 2'],
  'read memory of another process, by /proc': ['uid', 'room', 'filter 2'],
  'read memory of another process': ['uid', 'room', 'filter 1', 'filter 2'],
  'trace another process': ['uid', 'room', 'filter 1', 'filter 2'],
  'signal the supervisor': ['uid', 'room', 'filter 1', 'filter 2'],
  'signal a thread of the supervisor': ['uid', 'room', 'filter 1', 'filter 2'],
  'execute a program': ['filter 2'],
  'start a process': ['filter 1', 'filter 2'],
  'connect to a service of the host': ['room', 'filter 1', 'filter 2'],
  'connect to an abstract socket of the host': ['room', 'filter 1', 'filter 2'],
  'turn the channel to another address': ['filter 1', 'filter 2'],
  'hand a descriptor to the supervisor': ['filter 1', 'filter 2'],
  'make a user namespace': ['room', 'filter 1', 'filter 2'],
  'leave its namespaces': ['filter 1', 'filter 2'],
  'mount a file system': ['uid', 'room', 'filter 1', 'filter 2'],
  'become root': ['uid', 'room', 'filter 1', 'filter 2'],
  'use io_uring': ['filter 1'],
  'load a BPF program': ['uid', 'room', 'filter 1', 'filter 2'],
  'measure by perf_event_open': ['filter 1', 'filter 2'],
  'stall the kernel by userfaultfd': ['filter 1', 'filter 2'],
  'read the keys of the user': ['filter 1', 'filter 2'],
  'make an executable file in memory': ['filter 1', 'filter 2'],
  'raise its limits': ['uid', 'filter 1', 'filter 2'],
  'put itself before others': ['uid', 'room', 'filter 2'],
};

/** Attempts that end the process that makes them, wherever a filter stands: the supervisor sees SIGSYS. */
export const TRIPWIRES: readonly string[] = [
  'read memory of another process',
  'trace another process',
  'leave its namespaces',
  'mount a file system',
  'become root',
  'load a BPF program',
  'measure by perf_event_open',
  'stall the kernel by userfaultfd',
  'read the keys of the user',
];

/** Attempts that get nowhere without a layer, unless isola runs as root. */
export const NEED_ROOT: readonly string[] = [
  'mount a file system',
  'become root',
  'load a BPF program',
  'measure by perf_event_open',
  'stall the kernel by userfaultfd',
  'put itself before others',
  'raise its limits',
];

export function isStopped(outcome: Outcome): boolean {
  return !outcome.startsWith('done');
}

/** Whether it has to be stopped there. */
export function mustStop(column: Column, attempt: string): boolean {
  if (column === 'jail' || column === 'all') return true;
  return EXPECTED[attempt]?.includes(column) ?? false;
}

/** Those that this machine can show: a room takes bubblewrap, a uid of its own what `hasOwnUid` says. */
export function columnsHere(hasBubblewrap: boolean): Column[] {
  return COLUMNS.filter(
    (column) => (column !== 'uid' || hasOwnUid) && (hasBubblewrap || (column !== 'room' && column !== 'all')),
  );
}

/** Outcomes by attempt, behind what the column says. */
export async function runColumn(
  column: Column,
  attempts: readonly string[] = Object.keys(ATTEMPTS),
): Promise<Map<string, Outcome>> {
  await using scene = await setScene();
  const outcomes = new Map<string, Outcome>();
  let intruder: Intruder | undefined;
  for (const name of attempts) {
    // oxlint-disable-next-line no-await-in-loop -- one intruder, one attempt at a time
    intruder ??= await Intruder.start(column, scene.orders);
    // oxlint-disable-next-line no-await-in-loop
    const outcome = await intruder.attempt(name);
    outcomes.set(name, outcome);
    if (intruder.isGone) intruder = undefined;
  }
  intruder?.kill();
  return outcomes;
}

class Intruder {
  isGone = false;
  readonly #child: ReturnType<typeof startChild>;
  readonly #lines: AsyncIterator<string>;
  #lastWords = '';

  private constructor(column: Column) {
    const { sandbox, alter } = toSandbox(column);
    const confine = (flags: readonly string[], inherited: number): Launch =>
      alter(sandbox.launch({ entry: '../test/confine/intruder.ts', flags, inherited, index: 0 }));
    const onLine = (line: string): void => void (this.#lastWords = line);
    this.#child = startChild({ entry: 'intruder', flags: [], inherit: [], onLine, confine });
    this.#lines = createInterface({ input: this.#child.socket })[Symbol.asyncIterator]();
  }

  static async start(column: Column, orders: Omit<Orders, 'seal'>): Promise<Intruder> {
    const intruder = new Intruder(column);
    const { process: child, socket } = intruder.#child;
    socket.on('error', () => {});
    socket.write(`${JSON.stringify({ ...orders, seal: toSandbox(column).sandbox.seal(child.pid ?? 0) })}\n`);
    const first = await intruder.#next();
    if (first !== 'sealed') throw new Error(`Cannot drill behind ${column}: ${first} ${intruder.#lastWords}`);
    return intruder;
  }

  async attempt(name: string): Promise<Outcome> {
    this.#child.socket.write(`${name}\n`);
    return await this.#next();
  }

  kill(): void {
    this.#child.process.kill('SIGKILL');
  }

  async #next(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done !== true) return JSON.parse(value) as string;
    this.isGone = true;
    const { process: child } = this.#child;
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const isKilled = child.signalCode === 'SIGSYS' || child.exitCode === 128 + 31;
    return isKilled ? 'killed' : `ended with ${child.signalCode ?? child.exitCode}`;
  }
}

function toSandbox(column: Column): { sandbox: Sandbox; alter: (launch: Launch) => Launch } {
  const all: Layers = hasOwnUid ? allLayers() : { ...allLayers(), firstUid: undefined };
  const pick = (
    kind: SandboxKind,
    layers: Partial<Layers>,
  ): { sandbox: Sandbox; alter: (launch: Launch) => Launch } => ({
    sandbox: new Sandbox(kind, { ...NO_LAYERS, ...layers }, DRILL_FILES),
    alter: (launch) => launch,
  });
  switch (column) {
    case 'nothing':
      return pick('off', {});
    case 'uid':
      return pick('off', { firstUid: all.firstUid, rlimits: all.rlimits });
    case 'permissions':
      return pick('off', { permissions: true });
    case 'room':
      return pick('bubblewrap', {});
    case 'filter 1':
      return pick('jail', { startFilter: true });
    case 'filter 2':
      // libuv must not meet io_uring as it starts: a first filter that says only that.
      return {
        ...pick('jail', { startFilter: true, serveFilter: true }),
        alter: (launch) => ({ ...launch, feeds: [() => WITHOUT_IO_URING] }),
      };
    case 'jail':
      return pick('jail', all);
    case 'all':
      return pick('bubblewrap', all);
    default:
      throw new Error(`Cannot drill behind ${String(column satisfies never)}`);
  }
}

const DRILL_FILES = [{ from: import.meta.dirname, to: `/app/test/${import.meta.dirname.split('/').at(-1)}` }];

const WITHOUT_IO_URING = assembleFilter({
  architecture: process.arch as Architecture,
  otherwise: 'allow',
  rules: ['io_uring_setup', 'clone3'].map((syscall): Rule => ({ syscall, verdict: { errno: 38 } })),
});

interface Scene extends AsyncDisposable {
  readonly orders: Omit<Orders, 'seal'>;
}

/** What there is to be attacked. */
async function setScene(): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'isola-drill-'));
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'secret', { mode: 0o600 });
  const writable = mkdtempSync(join(tmpdir(), 'isola-open-'));
  chmodSync(writable, 0o777);
  const service = await listen({ port: 0, host: '127.0.0.1' });
  const abstract = `isola-drill-${process.pid}-${Date.now()}`;
  const hidden = await listen({ path: `\0${abstract}` });
  const victim = spawn('sleep', ['600'], { stdio: 'ignore' });
  const { port } = service.address() as { port: number };
  return {
    orders: { secret, writable: join(writable, 'x'), port, abstract, supervisor: process.pid, victim: victim.pid ?? 0 },
    async [Symbol.asyncDispose]() {
      victim.kill('SIGKILL');
      service.close();
      hidden.close();
      for (const made of [dirname(secret), writable]) rmSync(made, { recursive: true });
      await once(victim, 'exit');
    },
  };
}

async function listen(options: { port?: number; host?: string; path?: string }): Promise<Server> {
  const server = createServer((socket) => void socket.destroy()).listen(options);
  await once(server, 'listening');
  return server;
}
