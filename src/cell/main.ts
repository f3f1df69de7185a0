/**
 * Composition root of a cell process. Inherits its only doors: file descriptor 3, the channel to the supervisor, and
 * from 4 on one link to each gateway. Once it has started it gives up opening anything (seal.ts).
 */
import { Socket } from 'node:net';
import { setTimeout as setTimeoutPromise } from 'node:timers/promises';
import { type CallAnswer, type Channel, openChannel } from '../channel/index.ts';
import { endProcess, Engine, type GuestSource, LoadError } from '../engine/index.ts';
import { Cell } from './cell.ts';
import { CELL_FRAME_BYTES } from './protocol.ts';
import type {
  AskHeap,
  CheckAnswer,
  Deployed,
  FireScheduled,
  PrepareVersion,
  ProfileAnswer,
  ReloadWorkers,
  StartCell,
  StartProfile,
  SuspendAccount,
  TailedWorkersMessage,
} from './protocol.ts';
import { METERING_TURNS, takeMeteringTurns, UsageOutbox } from '../usage/index.ts';
import { RemoteHost } from './remote-host.ts';
import { seal } from './seal.ts';
import { type VersionHeader, fromVersionMessage } from './version-transfer.ts';

const SUPERVISOR_FD = 3;
const FIRST_LINK_FD = 4;
const CATASTROPHE_EXIT_CODE = 134; // as if by SIGABRT
const USAGE_FLUSH_MS = 2_000;
const FAREWELL_MS = 2_000; // after V8 has lost an isolate: time for the others to finish

// Ctrl-C reaches the whole process group; when to end is the supervisor's decision.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

const links: Channel[] = [];
interface Running {
  readonly cell: Cell;
  readonly engine: Engine;
}

let running: Running | undefined;

const supervisor: Channel = openChannel(
  new Socket({ fd: SUPERVISOR_FD, readable: true, writable: true }),
  { ids: 'even', maxFrameBytes: CELL_FRAME_BYTES },
  {
    async onCall(method, params, payload) {
      if (method === 'profile-stop') return await stopProfile();
      const answer = await CALLS[method]?.(params, payload);
      return answer === undefined ? undefined : { value: answer };
    },
    onNotify(type, params) {
      if (type === 'deployed') deployed(params as Deployed);
    },
    // Without its supervisor a cell has no purpose, and nobody who would end it.
    onClose: leave,
  },
);
const host = new RemoteHost(supervisor);
const usage = new UsageOutbox({
  meter: host.ownMeter,
  send: (message) => supervisor.call('usage', message),
  beforeCut: () => running?.cell.meterRunning(),
  now: Date.now,
});
if (process.env[METERING_TURNS] !== undefined) takeMeteringTurns((turn) => host.takeTurn(turn));

const CALLS: Readonly<Record<string, (params: unknown, payload: Buffer) => Promise<unknown>>> = {
  start: (params, payload) => start(params as StartCell, payload),
  ping: () => Promise.resolve({}),
  check: (params, payload) => check(params as VersionHeader, payload),
  prepare: async (params) => {
    await cell().prepare((params as PrepareVersion).version);
    return {};
  },
  scheduled: async (params) => {
    const { version, ...event } = params as FireScheduled;
    return await cell().scheduled(version, event);
  },
  tailed: (params) => {
    host.setTailed((params as TailedWorkersMessage).workers);
    return Promise.resolve({});
  },
  reload: (params) => {
    cell().reload(params as ReloadWorkers);
    return Promise.resolve({});
  },
  suspend: async (params) => {
    cell().suspend((params as SuspendAccount).account);
    // Or it would be counted for the next account of that name. A ledger that stands still must not hold up the rest.
    await Promise.race([usage.flush(), setTimeoutPromise(USAGE_FLUSH_MS)]);
    return {};
  },
  heap: (params) => cell().heap(params as AskHeap),
  'profile-start': (params) => {
    cell().startProfile(params as StartProfile);
    return Promise.resolve({});
  },
  drain: async () => {
    await cell().drain();
    host.flush();
    await usage.flush();
    return {};
  },
};

/** Not process.exit(): that waits for the threads of isolated-vm's pool, of which the warden's never ends. */
function leave(): void {
  endProcess(0);
}

async function start(options: StartCell, payload: Buffer): Promise<unknown> {
  const engine = await Engine.start({
    guest: JSON.parse(payload.toString('latin1')) as GuestSource,
    spares: options.spares,
    onStuck: 'exit',
    onCatastrophe: (message, version) => {
      supervisor.notify('catastrophe', { message, version });
      setTimeout(() => endProcess(CATASTROPHE_EXIT_CODE), FAREWELL_MS);
    },
    now: Date.now,
  });
  const made = new Cell({ engine, host, memoryBudgetBytes: options.memoryBudgetBytes, now: Date.now });
  const now = (running = { cell: made, engine });
  made.reportStats((message) => supervisor.notify('stats', message));
  for (let index = 0; index < options.links; index++) link(now, FIRST_LINK_FD + index);
  // The last thing before tenants' code comes: from here on everything that is needed is loaded and open.
  seal(options.seal);
  return { snapshot: engine.usesSnapshot };
}

function link({ cell: serving, engine }: Running, fd: number): void {
  const channel = openChannel(
    new Socket({ fd, readable: true, writable: true }),
    { ids: 'even' },
    // A cell that visitors cannot reach is replaced, not kept.
    {
      onClose: leave,
      onRequest: (exchange, head, body, fin) => {
        engine.noteBegun(exchange.id);
        return serving.serve(exchange, head, body, fin);
      },
    },
  );
  links.push(channel);
  channel.notify('ready', {});
}

async function check(header: VersionHeader, payload: Buffer): Promise<CheckAnswer> {
  try {
    return { ok: true, ...(await cell().check(fromVersionMessage(header, payload))) };
  } catch (error) {
    if (error instanceof LoadError) return { ok: false, message: error.message };
    throw error;
  }
}

async function stopProfile(): Promise<CallAnswer> {
  const found = await cell().stopProfile();
  const value: ProfileAnswer = { version: found?.version, bytes: found?.bytes ?? 0 };
  return { value, ...(found?.json !== undefined && { payload: found.json }) };
}

function deployed(change: Deployed): void {
  host.onDeployed(change);
  running?.cell.retireOthers(change);
}

function cell(): Cell {
  if (running === undefined) throw new Error('Cannot serve: the cell has not been started');
  return running.cell;
}
