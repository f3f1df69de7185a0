/** One cell, as the supervisor sees it: its process, watched, and what it is asked and told. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { type CallResult, type Channel, type ChannelHandlers, openChannel } from '../channel/index.ts';
import type {
  AskHeap,
  CheckAnswer,
  Deployed,
  FireScheduled,
  ReloadWorkers,
  StartCell,
  StartProfile,
  SuspendAccount,
  TailedWorkersMessage,
} from '../cell/index.ts';
import { CELL_FRAME_BYTES, toVersionMessage } from '../cell/index.ts';
import type { AccountId, VersionId } from '../ids.ts';
import type { VersionCode } from '../model.ts';
import type { CellGroup, Sandbox } from '../confine/index.ts';
import { residentBytes } from '../metrics/index.ts';
import { type Child, startChild } from './child.ts';
import { LastWords, type Suspect } from './last-words.ts';

/** How V8 must run where there are isolates. */
export const CELL_FLAGS = [
  '--no-node-snapshot', // isolated-vm asks for it
  '--no-turboshaft-loop-unrolling', // with it, nothing stops some tight loops (DESIGN.md, The engine)
  // Most tenants are called now and then: optimising their code by the usual counts cost each 1.2 MB, and a fifth of
  // the CPU time when 300 took turns. A hot one gets there in a moment, and loops are not affected.
  '--invocation-count-for-maglev=2000',
  '--invocation-count-for-turbofan=6000',
];
const STOP_GRACE_MS = 2_000; // a cell that stands still does not see that it is to end
const CRASHES: ReadonlySet<string> = new Set(['SIGSEGV', 'SIGABRT', 'SIGTRAP', 'SIGILL', 'SIGBUS', 'SIGFPE', 'SIGSYS']);
const HEARTBEAT_MS = 500;
const MEMORY_CHECK_MS = 200; // of the process, from outside: the cell may be past saying anything
const HEARTBEAT_DEADLINE_MS = 3_000; // the cell's own watchdog acts after 0.3 s; this is for a cell that is beyond that

export interface CellProcessOptions {
  readonly id: string;
  readonly cordon: string;
  /** One per gateway, already greeted. */
  readonly links: readonly Socket[];
  readonly start: Omit<StartCell, 'links' | 'seal'>;
  readonly sandbox: Sandbox;
  /** Of the cell among all cells. */
  readonly index: number;
  /** Resident memory at which its process is ended. */
  readonly maxMemoryBytes: number;
  /** In which the kernel does that, at once, where it can. */
  readonly group: CellGroup | undefined;
  /** For so long it may stand still before it is ended. */
  readonly heartbeatDeadlineMs?: number | undefined;
  /** The guest runtime, a `GuestSource` as JSON. ASCII. */
  readonly guest: string;
  /** The cell's requests and calls: egress, code, records. */
  readonly handlers: ChannelHandlers;
  readonly onLine: (line: string) => void;
  readonly onExit: (cell: CellProcess, exit: CellExit) => void;
}

export interface CellExit {
  readonly reason: string;
  /** Whose entry was running long. */
  readonly suspect: Suspect | undefined;
  /** It ended by what it ran, and not by somebody's order. */
  readonly isOwnFault: boolean;
}

export class CellProcess {
  readonly id: string;
  readonly cordon: string;
  /** Of the cell among all cells. */
  readonly index: number;
  readonly #lastWords = new LastWords();
  readonly #child: Child;
  readonly #channel: Channel;
  readonly #exited: Promise<unknown>;
  #heartbeat: NodeJS.Timeout | undefined;
  #memoryCheck: NodeJS.Timeout | undefined;
  #stoodStill = false;
  #grewTooLarge = false;

  private constructor(options: CellProcessOptions) {
    this.id = options.id;
    this.cordon = options.cordon;
    this.index = options.index;
    const { links, handlers, sandbox, index, group, onLine, onExit } = options;
    const entry = 'cell/main.ts';
    this.#child = startChild({
      entry,
      flags: CELL_FLAGS,
      inherit: links,
      onLine: (line) => {
        if (!this.#lastWords.take(line)) onLine(line);
      },
      confine: (flags, inherited) => sandbox.launch({ entry, flags, inherited, index }),
    });
    // At once, so that whatever it starts is in the group. Bubblewrap may be quicker: see `start`.
    group?.add(this.#child.process.pid);
    // The child has its own copies; these would keep a dead cell's links open.
    for (const socket of links) socket.destroy();
    this.#exited = once(this.#child.process, 'exit');
    this.#child.process.once('exit', (code, signal) => {
      clearInterval(this.#heartbeat);
      const { suspect, hasGivenUp } = this.#lastWords;
      clearInterval(this.#memoryCheck);
      this.#grewTooLarge ||= group?.hasKilled === true;
      group?.[Symbol.dispose]();
      const reason = this.#grewTooLarge ? 'out of memory' : toReason(code, signal);
      const isOwnFault = hasGivenUp || this.#stoodStill || this.#grewTooLarge || CRASHES.has(reason);
      onExit(this, { reason, suspect, isOwnFault });
    });
    const onNotify: NonNullable<ChannelHandlers['onNotify']> = (type, params, payload) => {
      if (type === 'catastrophe') this.#lastWords.noteCatastrophe((params as { version?: unknown } | null)?.version);
      handlers.onNotify?.(type, params, payload);
    };
    const limits = { ids: 'odd', maxFrameBytes: CELL_FRAME_BYTES } as const;
    this.#channel = openChannel(this.#child.socket, limits, { ...handlers, onNotify });
  }

  /** Resolves when it serves. */
  static async start(options: CellProcessOptions): Promise<CellProcess> {
    const cell = new CellProcess(options);
    const payload = Buffer.from(options.guest, 'latin1');
    const seal = options.sandbox.seal(cell.#child.process.pid ?? 0);
    const start: StartCell = { ...options.start, links: options.links.length, seal };
    try {
      await cell.#channel.call('start', start, payload);
    } catch (error) {
      cell.kill();
      throw error;
    }
    options.group?.add(cell.pid);
    cell.#watch(options.heartbeatDeadlineMs ?? HEARTBEAT_DEADLINE_MS);
    cell.#watchMemory(options.maxMemoryBytes);
    return cell;
  }

  get pid(): number | undefined {
    return this.#child.pid();
  }

  /** Bytes over its channel: from it, and to it. */
  get bytes(): { readonly received: number; readonly sent: number } {
    return { received: this.#channel.bytesRead, sent: this.#channel.bytesWritten };
  }

  /** Its channel has ended, and soon its process. */
  get lost(): boolean {
    return this.#channel.closed;
  }

  /** Resolves when its process has ended. */
  get ended(): Promise<unknown> {
    return this.#exited;
  }

  /** Compiles and starts the code under the start-up limits, without serving it. */
  async check(code: VersionCode): Promise<CheckAnswer> {
    const { header, payload } = toVersionMessage(code);
    return (await this.#channel.call('check', header, payload)).value as CheckAnswer;
  }

  async prepare(version: VersionId): Promise<void> {
    await this.#channel.call('prepare', { version });
  }

  deployed(change: Deployed): void {
    this.#channel.notify('deployed', change);
  }

  /** Resolves when requests that come from here on have the new limits. */
  async reload(which: ReloadWorkers): Promise<void> {
    await this.#channel.call('reload', which);
  }

  /** Resolves when nothing of the account runs in it any more. */
  async suspend(account: AccountId): Promise<void> {
    await this.#channel.call('suspend', { account } satisfies SuspendAccount);
  }

  /** Resolves to the record of it, as the cell sends it. */
  async scheduled(event: FireScheduled): Promise<unknown> {
    return (await this.#channel.call('scheduled', event)).value;
  }

  /** Resolves to what the cell says of the Worker's live instances: InstanceHeap[] if it is to be believed. */
  async heap(which: AskHeap): Promise<unknown> {
    return (await this.#channel.call('heap', which)).value;
  }

  /** Instances of the Worker that it makes from here on are profiled. */
  async startProfile(target: StartProfile): Promise<void> {
    await this.#channel.call('profile-start', target);
  }

  /** Resolves to ProfileAnswer and the profile, if the cell is to be believed. */
  async stopProfile(): Promise<CallResult> {
    return await this.#channel.call('profile-stop', {});
  }

  /** Resolves when records of these Workers, and of no others, come in full. */
  async setTailed(workers: TailedWorkersMessage['workers']): Promise<void> {
    await this.#channel.call('tailed', { workers } satisfies TailedWorkersMessage);
  }

  /** Resolves when nothing runs in it any more. */
  async drain(): Promise<void> {
    await this.#channel.call('drain', {});
  }

  kill(): void {
    this.#child.process.kill('SIGKILL');
  }

  async stop(): Promise<void> {
    clearInterval(this.#heartbeat);
    clearInterval(this.#memoryCheck);
    this.#channel.close();
    const grace = setTimeout(() => this.kill(), STOP_GRACE_MS);
    await this.#exited;
    clearTimeout(grace);
  }

  #watch(deadlineMs: number): void {
    let lastSeen = performance.now();
    let waiting = false;
    this.#heartbeat = setInterval(() => {
      if (waiting && performance.now() - lastSeen > deadlineMs) {
        this.#stoodStill = true;
        this.kill();
        return;
      }
      if (waiting) return;
      waiting = true;
      lastSeen = performance.now();
      this.#channel.call('ping', {}).then(
        () => (waiting = false),
        () => clearInterval(this.#heartbeat),
      );
    }, HEARTBEAT_MS);
    this.#heartbeat.unref();
  }

  #watchMemory(maxBytes: number): void {
    this.#memoryCheck = setInterval(() => {
      const { pid } = this;
      if (pid === undefined || (residentBytes(pid) ?? 0) <= maxBytes) return;
      this.#grewTooLarge = true;
      clearInterval(this.#memoryCheck);
      this.kill();
    }, MEMORY_CHECK_MS);
    this.#memoryCheck.unref();
  }
}

/** A confined cell's own parent tells of a signal by an exit code of 128 and its number, as a shell does. */
function toReason(code: number | null, signal: NodeJS.Signals | null): string {
  if (signal !== null) return signal;
  const number = (code ?? 0) - 128;
  const name = Object.entries(constants.signals).find(([, value]) => value === number)?.[0];
  return name ?? `exit code ${code}`;
}
