/**
 * Composition root of the trusted side: opens the stores, starts the gateway, the cells and the control API in this
 * order, and stops them in reverse. Only this file knows which store and which broker are in use.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createDnsResolve, createEgress, parsePorts } from '../broker/index.ts';
import { CacheStore, serveCache } from '../cache/index.ts';
import type { Resources } from '../cell/index.ts';
import { CellGroups } from '../confine/index.ts';
import {
  AccountLifecycle,
  AssetUploads,
  BodyBudget,
  createControl,
  Retention,
  TokenAuthenticator,
  toRates,
} from '../control/index.ts';
import type { GuestSource } from '../engine/index.ts';
import { WARMUP, buildGuest } from '../guest/index.ts';
import type { AccountId } from '../ids.ts';
import { MAX_ACCOUNT_BODY_BYTES, MAX_BODY_BYTES, MAX_LOG_STORE_BYTES } from '../limits.ts';
import type { Route } from '../model.ts';
import { createKvService, serveKv } from '../kv/index.ts';
import { CellBoard, PlatformMetrics, UsageMetrics } from '../metrics/index.ts';
import { SourceMapper } from '../source-maps/index.ts';
import { openFileBlobs } from '../store/files/index.ts';
import { openVault, Rotation } from '../secrets/index.ts';
import {
  openSqliteAuditLog,
  openSqliteExports,
  openSqliteKvStore,
  openSqliteLedger,
  openSqliteLogStore,
  openSqliteStores,
} from '../store/sqlite/index.ts';
import { METERING_TURNS, type CellUsage, UsageIntake } from '../usage/index.ts';
import { openAdminToken } from './admin-token.ts';
import { createAssetResource } from './asset-resource.ts';
import { createCellHandlers } from './cell-handlers.ts';
import { CellProcess } from './cell-process.ts';
import { toCellMemory } from './cell-memory.ts';
import { CellLosses } from './cell-losses.ts';
import { Cells } from './cells.ts';
import { CertificateWatch, readCertificates } from './certificates.ts';
import { Cordons } from './cordons.ts';
import { SupervisedPlatform } from './control-platform.ts';
import { GatewayProcess } from './gateway-process.ts';
import { InvocationLog } from './invocation-log.ts';
import { openKeyFile } from './key-file.ts';
import { openSandbox, TRIPWIRE_ALARM, TRIPWIRE_SIGNAL } from './open-sandbox.ts';
import { Quarantine } from './quarantine.ts';
import { type Offence, tellOfQuarantine } from './quarantine-notice.ts';
import { createQuotas } from './quotas.ts';
import { readPlans } from './plans.ts';
import type { Tracer } from '../tracing/index.ts';
import { TrustedProxies } from '../trusted-proxies.ts';
import { createScheduler } from './scheduling.ts';
import { limitsOf } from './profiles.ts';
import type { Platform, PlatformOptions } from './platform.ts';
import { SideChannelWatch } from './side-channel-watch.ts';
import { createStackMapping } from './stack-mapping.ts';
import { createTxtResolver } from './txt-resolver.ts';
import { createTails } from './tailing.ts';
import { createUsageExport, readStripeKey } from './usage-export.ts';

const FIRST_ACCOUNT = 'main' as AccountId;
const SPARES = 4; // 20 cold starts a second with 5 ms to make each; more only cost memory
const DRAIN_MS = 30_000;
const LINK_TOKEN_BYTES = 32;
const HTTPS_PORT = 443;

export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  await using stack = new AsyncDisposableStack();
  const { dataDir, onEvent, host, baseDomain } = options;
  const warn = (message: string) => onEvent({ event: 'warning', message });
  onEvent({ event: 'starting', pid: process.pid });
  const { sandbox } = await openSandbox({ mode: options.sandbox, isRequired: options.requireSandbox, onEvent });
  if (process.env[METERING_TURNS] !== undefined) warn(`${METERING_TURNS} is set: most of what is used is not billed`);
  const plans = readPlans(options.plansFile);
  const { stripe } = options;
  const stripeKey = stripe && readStripeKey(stripe.keySource);
  // Everything below is for the platform's own eyes, whatever the data folder allows.
  process.umask(0o077);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const admin = openAdminToken(dataDir, options.adminToken);
  if (admin.isNew) onEvent({ event: 'token', token: admin.token, path: admin.path });

  const stores = openSqliteStores(join(dataDir, 'registry.sqlite'));
  stack.defer(() => stores.close());
  const { registry, tokens, grants, secretKeys } = stores;
  const audit = openSqliteAuditLog(join(dataDir, 'audit.sqlite'));
  stack.defer(() => audit.close());
  const kv = await openSqliteKvStore(join(dataDir, 'kv.sqlite'));
  stack.defer(() => kv.close());
  const ledger = await openSqliteLedger(join(dataDir, 'usage.sqlite'));
  stack.defer(() => ledger.close());
  const exports = openSqliteExports(join(dataDir, 'exports.sqlite'));
  stack.defer(() => exports.close());
  const kvService = createKvService(kv, Date.now);
  const vault = await openVault({
    keys: secretKeys,
    source: options.secretsKey ?? { kind: 'file', value: join(dataDir, 'secrets-key') },
    oldSource: options.oldSecretsKey,
    mayCreate: options.secretsKey === undefined,
    onCreated: (path) => onEvent({ event: 'secrets-key', path }),
  });
  const rotation = new Rotation({
    keys: secretKeys,
    vault,
    now: Date.now,
    onError: (message, error) => onEvent({ event: 'warning', message, error: String(error) }),
  });
  await rotation.resume();
  stack.defer(() => rotation.close());
  const blobsDir = resolve(dataDir, 'blobs');
  const blobs = openFileBlobs(blobsDir);
  const logs = await openSqliteLogStore(join(dataDir, 'logs.sqlite'), {
    quota: {
      days: options.keepLogDays || Infinity,
      accountBytes: options.keepLogBytes || Infinity,
      totalBytes: MAX_LOG_STORE_BYTES,
    },
    onError: (error) => warn(`Cannot keep logs: ${describe(error)}`),
  });
  stack.defer(() => logs.close());
  const mapper = new SourceMapper();
  stack.defer(() => mapper.close());
  const { mapStacks, mapTexts } = createStackMapping({ mapper, registry, blobs });
  const tails = createTails(() => cells);
  const log = new InvocationLog(dataDir, {
    onRecord: (record) => onEvent({ ...record, kind: record.event, event: 'invocation' }),
    onLine: (account, line) => logs.append(account, line),
    mapStacks,
    onTailed: (record) => tails.publish(record),
  });
  stack.defer(() => log.close());
  const { egressDnsServer, allowPrivateEgress } = options;
  // /etc/hosts has names for development; of a platform for strangers it is none of their business.
  const isBySystem = allowPrivateEgress && egressDnsServer === undefined;
  const egress = createEgress({
    allowPrivate: allowPrivateEgress,
    ports: options.egressPorts === undefined ? undefined : parsePorts(options.egressPorts),
    resolve: isBySystem ? undefined : createDnsResolve(egressDnsServer),
  });
  stack.defer(() => egress.close());
  const maxBytes = options.cacheBytes;
  const cache = new CacheStore({ maxBytes, maxAccountBytes: maxBytes / 2, now: Date.now });
  await registry.seedAccount({ id: FIRST_ACCOUNT, name: FIRST_ACCOUNT, createdOn: new Date().toISOString() });

  // Short, whatever the data folder's path: a Unix socket's path has at most 107 bytes.
  const socketDir = mkdtempSync(join(tmpdir(), 'isola-'));
  stack.defer(() => rmSync(socketDir, { recursive: true, force: true }));
  let stopping = false;
  const { tls, publicPort } = options;
  const certificates = tls && readCertificates(tls.files);
  const { tracing } = options;
  const tracer = tracing && (await openTracer(tracing.endpoint, warn));
  stack.defer(() => tracer?.close());
  const gateway = await GatewayProcess.start({
    host,
    port: options.port,
    baseDomain,
    socketPath: join(socketDir, 'cells'),
    linkToken: randomBytes(LINK_TOKEN_BYTES).toString('base64url'),
    blobsDir,
    ...(tls && certificates && { tls: { port: tls.port, pairs: certificates } }),
    ...(tls?.redirect === true && { redirectTo: publicPort ?? 0 }),
    trustedProxies: options.trustedProxies,
    loadLimits: options.loadLimits,
    traceRatio: tracing?.ratio,
    onSpans: tracer?.open(),
    previews: (account, worker) => stores.previews.list(account, worker),
    onLine: (line) => warn(`gateway: ${line}`),
    onPages: (lines) => log.append(lines, 'plain'),
    // It may have been given up meanwhile: then those who wait will have heard of it when this is read.
    onWanted: (cordon) => cordons.isUsed(cordon) && cells.ensure(cordon),
    onExit: (reason) => {
      if (stopping) return;
      // Every client's connection went with it. A supervisor's supervisor (systemd, a container) restarts all.
      warn(`The gateway ended (${reason}); so does the platform`);
      process.exitCode = 1;
      process.exit();
    },
  });
  stack.defer(() => gateway.stop());
  stack.defer(() => {
    stopping = true;
  });

  if (tls !== undefined) {
    const watch = new CertificateWatch(tls.files, {
      checkMs: tls.checkMs,
      onChange: (pairs) => {
        gateway.useCertificates(pairs).then(
          () => onEvent({ event: 'info', message: 'The TLS certificates have changed' }),
          (error: unknown) => warn(`Cannot use the changed TLS certificates: ${String(error)}`),
        );
      },
      onFailure: (error) => warn(`${error.message}; the certificates from before stay in use`),
    });
    stack.use(watch);
  }

  const { source, parts, assets } = await buildGuest(cacheDir(dataDir));
  const guest = JSON.stringify({ source, parts, assets, warmup: WARMUP } satisfies GuestSource);
  const reachable: Resources = {
    assets: createAssetResource({ registry, blobs }),
    cache: (exchange, request) => serveCache(cache, exchange, request),
    kv: (exchange, request) => serveKv(kvService, exchange, request),
  };
  const board = new CellBoard({ now: Date.now });
  const placed = await registry.accountsWithSettings();
  const quarantine = new Quarantine({
    path: join(dataDir, 'quarantine.json'),
    now: Date.now,
    onChange: (account) => void platform.applyCordons(account).catch((error: unknown) => warn(describe(error))),
  });
  stack.defer(() => quarantine.close());
  const cordons = new Cordons(() => quarantine.list());
  for (const { id, settings } of placed) cordons.set(id, settings);
  const tellOffence = async (offence: Offence): Promise<void> => {
    board.note(offence.cell, { kind: 'quarantined', ...offence.worker });
    await tellOfQuarantine({ audit, onEvent, onRecord: (record) => log.add(record), now: Date.now }, offence);
  };
  const sideChannels = new SideChannelWatch({
    look: () => board.list().flatMap(({ id, isolates }) => isolates.map((isolate) => [id, isolate] as const)),
    onSuspect: ({ worker, version, cell }) => {
      if (quarantine.has(worker)) return;
      const did = 'computed for half an hour or more, and much for each request that it answered';
      const offence = { worker, version, cell, did, reason: 'side channel', untilMs: quarantine.strike(worker) };
      void tellOffence(offence).catch((error: unknown) => warn(describe(error)));
    },
  });
  stack.defer(() => sideChannels.close());
  const cellUsages = new Map<string, CellUsage>();
  const losses = new CellLosses({
    quarantine,
    ownerOf: (cell, version) => platform.blameTrial(version) ?? cellUsages.get(cell)?.ownerOf(version),
    tellGateway: (lost) => gateway.cellLost(lost),
    tell: tellOffence,
    onError: (error) => warn(`Cannot tell whose entry ended a cell: ${describe(error)}`),
  });
  const { quotas, webhooks } = createQuotas({
    ledger,
    gateway,
    key: openKeyFile(dataDir, 'webhook-key'),
    onWarning: warn,
  });
  stack.use(webhooks);
  stack.use(quotas);
  await Promise.all(placed.map(({ id, settings }) => quotas.set(id, settings)));
  const usageMetrics = new UsageMetrics();
  stack.defer(() => usageMetrics.close());
  const usage = new UsageIntake({
    ledger,
    onTaken: (rows) => {
      quotas.add(rows);
      usageMetrics.add(rows);
    },
    onWarning: warn,
    now: Date.now,
    randomUUID,
  });
  const { memoryBudgetBytes, maxMemoryBytes } = toCellMemory(options);
  const groups = stack.use(CellGroups.open());
  const cells: Cells = new Cells({
    count: options.cells,
    start: async ({ id, cordon, index }, onExit) => {
      board.starting(id, cordon);
      const cellUsage = usage.openCell();
      cellUsages.set(id, cellUsage);
      const limits = limitsOf(cordon, maxMemoryBytes);
      const cell = await CellProcess.start({
        id,
        cordon,
        links: [await gateway.connectLink(id)],
        start: {
          spares: SPARES,
          memoryBudgetBytes,
        },
        sandbox,
        index,
        ...limits,
        group: groups?.create(limits.maxMemoryBytes),
        guest,
        handlers: createCellHandlers({
          registry,
          blobs,
          vault,
          egress,
          mayRun: (worker) => cordons.mayRun(cordon, worker),
          resources: reachable,
          log,
          usage: cellUsage,
          onWarning: warn,
          onStats: (message) => board.take(id, message),
          onSpans: tracer?.open(),
        }),
        onLine: (line) => warn(`cell ${id}: ${line}`),
        onExit,
      });
      void cell.setTailed(tails.workers).catch(() => {}); // it has ended again
      return cell;
    },
    random: Math.random,
    onList: async (places) => {
      const ids = places.map(({ id }) => id);
      board.keepOnly(ids);
      for (const id of cellUsages.keys()) if (!ids.includes(id)) cellUsages.delete(id);
      await gateway.listCells(places);
    },
    onExit: (place, exit) => {
      const { id, cordon } = place;
      board.ended(id);
      onEvent({ event: 'cell-exit', id, cordon, reason: exit.reason });
      if (exit.reason === TRIPWIRE_SIGNAL) onEvent({ event: 'alarm', id, message: TRIPWIRE_ALARM });
      void losses.take(place, exit);
    },
    onReady: ({ id, cordon }, pid) => {
      board.serving(id, pid);
      onEvent({ event: 'cell-ready', id, cordon, pid });
    },
    onFailure: (id, error) => warn(`Cannot start cell ${id}: ${describe(error)}`),
  });
  const platform: SupervisedPlatform = new SupervisedPlatform({
    cells,
    cordons,
    gateway,
    registry,
    mapStacks,
    mapTexts,
    now: Date.now,
    traceRatio: tracing?.ratio ?? 0,
  });
  // Behind the end of the cells, when nothing runs any more.
  stack.defer(() => scheduler.close());
  await gateway.setCordons(cordons.table());
  const withdrawn = await registry.withdrawnAccounts();
  await gateway.setAccounts({ suspend: withdrawn.map(({ id }) => id) });
  stack.defer(() => cells.stopAll());
  await gateway.loadRules(await stores.hostnames.allRules());
  await Promise.all([cells.startAll(), loadRoutes(registry.routes(), gateway)]);

  const metrics = new PlatformMetrics({
    board,
    gateway: () => gateway.stats(),
    usage: usageMetrics,
    quarantined: () => quarantine.list().length,
    supervisorLinks: () => cells.live.map(({ id, bytes }) => ({ cell: id, link: 'supervisor', ...bytes })),
  });
  stack.defer(() => metrics.close());
  const retention = new Retention({
    housekeeping: stores.housekeeping,
    blobs,
    platform,
    quota: { versions: options.keepVersions || Infinity, bytes: options.keepVersionBytes || Infinity },
    onError: (message, error) => warn(`${message}: ${describe(error)}`),
  });
  stack.defer(() => retention.close());
  const accounts = new AccountLifecycle({
    registry,
    platform,
    data: [
      stores.assets,
      kv,
      logs,
      tails,
      ledger,
      quotas,
      usageMetrics,
      exports,
      { deleteAccount: (id) => gateway.setRules({ removeAccounts: [id] }) },
      { deleteAccount: async () => retention.collectSoon() },
    ],
  });
  await accounts.finishDeletions();
  const authenticator = new TokenAuthenticator({
    operatorToken: admin.token,
    tokens,
    grants,
    registry,
    now: Date.now,
  });
  const { schedules } = stores;
  const scheduler = createScheduler({
    schedules,
    registry,
    platform,
    isRefused: (account) => quotas.isRefused(account),
    onError: (error) => warn(describe(error)),
  });
  const control = createControl({
    registry,
    hostnames: stores.hostnames,
    previews: stores.previews,
    resolver: createTxtResolver(options.dnsServer),
    blobs,
    schedules,
    kv,
    ledger,
    quotas,
    webhooks,
    logs,
    plans,
    tails,
    vault,
    rotation,
    platform,
    cells: board,
    metrics,
    mapper,
    authenticator,
    grants,
    identifyHash: (hash) => authenticator.identifyHash(hash),
    tokens,
    audit,
    accounts,
    assets: new AssetUploads({
      index: stores.assets,
      registry,
      blobs,
      key: openKeyFile(dataDir, 'asset-upload-key'),
      now: Date.now,
      randomUUID,
    }),
    retention,
    rates: toRates(options.apiRate),
    bodies: new BodyBudget({ ofAccount: MAX_ACCOUNT_BODY_BYTES, ofAll: MAX_BODY_BYTES }),
    proxies: new TrustedProxies(options.trustedProxies),
    baseDomain,
    publicScheme: tls !== undefined || publicPort === HTTPS_PORT ? 'https' : 'http',
    publicPort: publicPort ?? gateway.tlsPort ?? gateway.port,
    // The plain port may do nothing but send visitors to the other one.
    gatewayAddress: () => ({
      host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host,
      port: gateway.tlsPort ?? gateway.port,
      tls: gateway.tlsPort !== undefined,
    }),
    dashboardDir: options.dashboardDir,
    log: (level, message, fields) => onEvent({ event: level === 'info' ? 'info' : 'warning', message, ...fields }),
    now: Date.now,
    randomUUID,
  });
  stack.defer(async () => {
    await control.close();
  });
  stack.use(tails);
  await control.listen({ host, port: options.controlPort });
  const address = control.server.address();
  const controlPort = typeof address === 'object' && address !== null ? address.port : options.controlPort;

  await scheduler.start();
  if (stripe !== undefined && stripeKey !== undefined) {
    const toStripe = createUsageExport(
      { ...stripe, key: stripeKey },
      { ledger, exports, plans, registry, onWarning: warn },
    );
    stack.defer(() => toStripe.close());
    toStripe.start();
  }
  await retention.sweepSoon();

  const resources = stack.move();
  let stopped: Promise<void> | undefined;
  const stop = () =>
    (stopped ??= (async () => {
      stopping = true;
      platform.close();
      await scheduler.stop();
      await gateway.drain(DRAIN_MS);
      await Promise.race([
        Promise.allSettled(cells.live.map((cell) => cell.drain())),
        new Promise((resolve) => setTimeout(resolve, DRAIN_MS).unref()),
      ]);
      await resources.disposeAsync();
    })());
  return {
    gatewayUrl: `http://${hostInUrl(host)}:${gateway.port}`,
    ...(gateway.tlsPort !== undefined && { tlsUrl: `https://${hostInUrl(host)}:${gateway.tlsPort}` }),
    controlUrl: `http://${hostInUrl(host)}:${controlPort}`,
    adminToken: admin.token,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Loaded for those who want it: the SDK takes a platform 15 MB that has no use for it. */
async function openTracer(endpoint: string, warn: (message: string) => void): Promise<Tracer> {
  const tracing = await import('../tracing/index.ts');
  const onFailure = (error: unknown) => warn(`Cannot export traces to ${endpoint}: ${describe(error)}`);
  return new tracing.Tracer({ endpoint, serviceName: 'isola', onFailure });
}

async function loadRoutes(routes: AsyncIterable<Route>, gateway: GatewayProcess): Promise<void> {
  let batch: Route[] = [];
  for await (const route of routes) {
    batch.push(route);
    if (batch.length < 10_000) continue;
    await gateway.setRoutes(batch);
    batch = [];
  }
  await gateway.setRoutes(batch);
}

/** Beside the installed packages when that can be written, so that several data folders share it. */
function cacheDir(dataDir: string): string {
  const shared = new URL('../../node_modules', import.meta.url);
  return existsSync(shared) ? join(shared.pathname, '.cache', 'isola') : join(dataDir, 'cache');
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function hostInUrl(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
