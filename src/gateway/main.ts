/**
 * Composition root of the gateway process. Started by the supervisor with one end of a socket pair as fd 3; everything it
 * does is asked for over that channel, and it ends when the channel does.
 */
import { Socket } from 'node:net';
import { openChannel } from '../channel/index.ts';
import { AssetFront } from './asset-front.ts';
import { CellSet } from './cells.ts';
import { listenForCells } from './links.ts';
import { PageLog } from './page-log.ts';
import { Previews } from './previews.ts';
import {
  parseAccounts,
  parseCellLost,
  parseCells,
  parseCordons,
  parseCertificates,
  parseDrain,
  parsePreviews,
  parseRoutes,
  parseRules,
  parseStart,
  type PreviewList,
  type StartResult,
  type WantedParams,
} from './protocol.ts';
import { RaySource } from './ray.ts';
import { RouteTable } from './routes.ts';
import { HttpFront } from './server.ts';
import { Tracing } from './tracing.ts';
import { TrustedProxies } from '../trusted-proxies.ts';

const SUPERVISOR_FD = 3;

interface Running {
  readonly routes: RouteTable;
  readonly previews: Previews;
  readonly front: HttpFront;
  readonly pages: PageLog;
  readonly tracing: Tracing | undefined;
}

const cells = new CellSet();
let running: Running | undefined;

// Ctrl-C reaches the whole process group: the supervisor decides when we stop, after it has drained us.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});

const supervisor = openChannel(
  new Socket({ fd: SUPERVISOR_FD }),
  { ids: 'even' },
  {
    onCall: async (method, params) => ({ value: await answer(method, params) }),
    onNotify: (type, params) => {
      if (type === 'cellLost') running?.front.onCellLost(parseCellLost(params));
    },
    onClose: () => process.exit(0),
  },
);

async function answer(method: string, params: unknown): Promise<unknown> {
  if (method === 'start') return start(params);
  if (running === undefined) throw new Error(`Cannot ${method}: the gateway has not been started`);
  switch (method) {
    case 'routes':
      return setRoutes(running, params);
    case 'rules':
      return setRules(running.routes, params);
    case 'previews': {
      const { account, worker } = parsePreviews(params);
      return running.previews.forget(account, worker);
    }
    case 'tls':
      return running.front.useCertificates(parseCertificates(params).pairs);
    case 'accounts': {
      const { suspend, resume, refuse, admit } = parseAccounts(params);
      for (const account of suspend) running.front.suspend(account);
      for (const account of resume) running.front.resume(account);
      for (const account of refuse) running.front.refuse(account);
      for (const account of admit) running.front.admit(account);
      return undefined;
    }
    case 'cells':
      cells.list(parseCells(params).cells);
      running.front.onCellReady();
      return undefined;
    case 'cordons':
      running.front.setCordons(parseCordons(params));
      return undefined;
    case 'stats':
      return { ...running.front.stats(), memory: process.memoryUsage.rss(), cpuUs: cpuUs() };
    case 'drain':
      await running.front.drain(parseDrain(params));
      running.pages.flush();
      running.tracing?.flush();
      return undefined;
    default:
      throw new Error(`Cannot ${method}: no such method`);
  }
}

async function start(params: unknown): Promise<StartResult> {
  if (running !== undefined) throw new Error('Cannot start: already started');
  const options = parseStart(params);
  const routes = new RouteTable(options.baseDomain);
  const pages = new PageLog((lines) => supervisor.notify('pages', null, lines));
  const previews = new Previews(
    async (account, worker) => (await supervisor.call('previews', { account, worker })).value as PreviewList,
  );
  const onFault = (error: unknown): void =>
    supervisor.notify('fault', { message: String(error instanceof Error ? error.stack : error) });
  const { traceRatio } = options;
  const tracing =
    traceRatio === undefined ? undefined : new Tracing(traceRatio, (spans) => supervisor.notify('spans', spans));
  const front = new HttpFront({
    routes,
    previews,
    proxies: new TrustedProxies(options.trustedProxies ?? []),
    cells,
    rays: new RaySource(),
    pages,
    assets: new AssetFront({ blobsDir: options.blobsDir, log: pages, onFault }),
    tracing,
    onFault,
    onWanted: (cordon) => supervisor.notify('wanted', { cordon } satisfies WantedParams),
    ...(options.loadLimits && { loadLimits: options.loadLimits }),
    ...(options.patience && { patience: options.patience }),
  });
  running = { routes, previews, front, pages, tracing };
  await listenForCells({
    socketPath: options.socketPath,
    linkToken: options.linkToken,
    cells,
    onReady: (id) => front.onCellReady(id),
    // One that was given up has ended in order.
    onLost: (id, error) => cells.isListed(id) && supervisor.notify('linkLost', { id, error: error?.message }),
  });
  return front.listen(options);
}

function setRoutes({ routes, previews }: Running, params: unknown): undefined {
  const { reset, set = [], remove = [] } = parseRoutes(params);
  if (reset === true) {
    routes.clear();
    previews.clear();
  }
  for (const { account, worker } of remove) {
    routes.remove(account, worker);
    previews.forget(account, worker);
  }
  for (const route of set) {
    routes.set(route);
    previews.forget(route.account, route.worker);
  }
}

function setRules(routes: RouteTable, params: unknown): undefined {
  const { reset, set, remove, removeAccounts } = parseRules(params);
  if (reset) routes.clearRules();
  for (const account of removeAccounts) routes.removeRulesOf(account);
  for (const id of remove) routes.removeRule(id);
  for (const rule of set) routes.setRule(rule);
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
