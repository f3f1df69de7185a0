/** `isola serve`: the platform on this machine, until a signal stops it. */
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { Platform, PlatformEvent, PlatformOptions } from '../supervisor/platform.ts';
import type { SandboxMode } from '../confine/index.ts';
import {
  ACCOUNT_REQUESTS,
  ADDRESS_CONNECTIONS,
  ADDRESS_REQUESTS,
  API_REQUESTS_PER_TOKEN,
  CACHE_BYTES,
  KEPT_LOG_BYTES,
  KEPT_LOG_DAYS,
  KEPT_VERSION_BYTES,
  KEPT_VERSIONS,
} from '../limits.ts';
import { KEY_SOURCE, type KeySource, parseKeySource } from '../secrets/index.ts';
import { toAsciiJson } from '../ascii-json.ts';
import { CommandError } from './command-error.ts';
import { provideDashboard } from './dashboard.ts';
import { defineCommand, UsageError } from './options.ts';
import { printEvent } from './events.ts';
import { untilStopped } from './shutdown.ts';
import { paint, printLine } from './terminal.ts';

/** The account that exists from the first start. */
export const FIRST_ACCOUNT = 'main';

const MIB = 1024 * 1024;
const EGRESS_PORTS = /^(any|\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*)$/;
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;

/** Options that `serve` and `start` share. */
export const PLATFORM_OPTIONS = {
  port: {
    type: 'integer',
    value: 'N',
    default: 8787,
    min: 0,
    max: 65_535,
    help: 'Port for visitors; 0 takes a free one',
  },
  'control-port': {
    type: 'integer',
    value: 'N',
    default: 8788,
    min: 0,
    max: 65_535,
    help: 'Port of the control API, which wrangler talks to; 0 takes a free one',
  },
  host: {
    type: 'string',
    value: 'ADDRESS',
    default: '127.0.0.1',
    pattern: /^[0-9a-z.:[\]-]+$/i,
    allowed: 'an IP address or host name of this machine',
    help: 'Address to listen on; 0.0.0.0 for every network',
  },
  cells: {
    type: 'integer',
    value: 'N',
    min: 1,
    max: 256,
    defaultText: 'cores − 1, at least 1',
    help: 'Processes that run Workers',
  },
  'cell-memory-mib': {
    type: 'integer',
    value: 'N',
    min: 128,
    max: 1_048_576,
    defaultText: "three quarters of the machine's, divided by the cells",
    help: 'Memory of a cell, in MiB, at which it is ended and replaced; well below, idle Workers in it are given up',
  },
  'cache-mib': {
    type: 'integer',
    value: 'N',
    default: CACHE_BYTES / MIB,
    min: 0,
    max: 65_536,
    help: 'Memory for cached responses of all accounts, in MiB; 0 stores none',
  },
  'base-domain': {
    type: 'string',
    value: 'DOMAIN',
    default: 'localhost',
    pattern: HOST_NAME,
    allowed: 'a host name such as apps.example.com',
    help: 'Workers answer at <worker>.<account>.DOMAIN',
  },
  'tls-cert': {
    type: 'string',
    value: 'FILE',
    multiple: true,
    help: 'PEM certificate with its chain, for HTTPS and HTTP/2; again for more',
  },
  'tls-key': { type: 'string', value: 'FILE', multiple: true, help: 'Its private key, in the same order' },
  'tls-port': {
    type: 'integer',
    value: 'N',
    default: 8443,
    min: 0,
    max: 65_535,
    help: 'Port for HTTPS, when there is a certificate; 0 takes a free one',
  },
  'tls-check-seconds': {
    type: 'integer',
    value: 'N',
    default: 10,
    min: 1,
    max: 86_400,
    help: 'How often the files of certificates are looked at, for new ones',
  },
  'redirect-https': { type: 'boolean', help: 'Send visitors of --port to HTTPS' },
  'trust-proxy': {
    type: 'string',
    value: 'ADDRESSES',
    pattern: /^[\da-f.:/]+(,[\da-f.:/]+)*$/i,
    allowed: 'addresses or networks such as 127.0.0.1,10.0.0.0/8',
    help: 'Proxies that are believed about the address and scheme of their clients',
  },
  'address-connections': {
    type: 'integer',
    value: 'N',
    default: ADDRESS_CONNECTIONS,
    min: 0,
    max: 1_000_000,
    help: 'Connections that one client address may have open; 0 for no limit',
  },
  'address-requests': {
    type: 'integer',
    value: 'N',
    default: ADDRESS_REQUESTS,
    min: 0,
    max: 1_000_000,
    help: 'Requests that one client address may have under way; 0 for no limit',
  },
  'account-requests': {
    type: 'integer',
    value: 'N',
    default: ACCOUNT_REQUESTS,
    min: 0,
    max: 1_000_000,
    help: 'Requests and WebSockets that one account may have under way; 0 for no limit',
  },
  'public-port': {
    type: 'integer',
    value: 'N',
    min: 1,
    max: 65_535,
    defaultText: 'that of the gateway',
    help: 'Port that visitors use, when a proxy stands in front; 443 for HTTPS',
  },
  'dns-server': {
    type: 'string',
    value: 'ADDRESS:PORT',
    pattern: /^(\d+(\.\d+){3}|\[[\da-f:]+\])(:\d{1,5})?$/i,
    allowed: 'an IP address, with a port or without, such as 127.0.0.1:5353',
    defaultText: 'those of this machine',
    help: 'DNS server for proofs of who owns a host name',
  },
  'allow-private-egress': {
    type: 'boolean',
    help: 'Let Workers fetch private addresses (10.0.0.0/8, 127.0.0.1 …): for development only',
  },
  'egress-ports': {
    type: 'string',
    value: 'PORTS',
    pattern: EGRESS_PORTS,
    allowed: 'ports and ranges such as 80,443,8000-8999, or any',
    defaultText: '80, 443 and the other usual ones of HTTP',
    help: 'Ports that Workers may fetch from: 80,443,8000-8999, or any',
  },
  'egress-dns-server': {
    type: 'string',
    value: 'ADDRESS:PORT',
    pattern: /^(\d+(\.\d+){3}|\[[\da-f:]+\])(:\d{1,5})?$/i,
    allowed: 'an IP address, with a port or without, such as 127.0.0.1:5353',
    defaultText: 'those of this machine',
    help: 'DNS server that Workers’ fetches go by',
  },
  data: {
    type: 'string',
    value: 'DIR',
    defaultText: '.isola',
    help: 'Folder of everything the platform keeps',
  },
  'api-rate': {
    type: 'integer',
    value: 'N',
    default: API_REQUESTS_PER_TOKEN,
    min: 0,
    max: 1_000_000,
    help: 'Requests a minute that one token may send to the control API; 0 for no limit',
  },
  'keep-versions': {
    type: 'integer',
    value: 'N',
    default: KEPT_VERSIONS,
    min: 0,
    max: 10_000_000,
    help: 'Versions that an account keeps, of all its Workers; 0 for no limit. Deployed ones always stay',
  },
  'keep-versions-mib': {
    type: 'integer',
    value: 'N',
    default: KEPT_VERSION_BYTES / MIB,
    min: 0,
    max: 10_000_000,
    help: 'How large their code may be together, in MiB; 0 for no limit',
  },
  'keep-logs-days': {
    type: 'integer',
    value: 'N',
    default: KEPT_LOG_DAYS,
    min: 0,
    max: 10_000,
    help: 'Days for which console lines and exceptions of Workers are kept; 0 for no limit',
  },
  'keep-logs-mib': {
    type: 'integer',
    value: 'N',
    default: KEPT_LOG_BYTES / MIB,
    min: 0,
    max: 10_000_000,
    help: 'How much of them an account keeps, in MiB, with their index: the oldest go; 0 for no limit',
  },
  'secrets-key': {
    type: 'string',
    value: 'SOURCE',
    pattern: KEY_SOURCE,
    allowed: 'file:PATH, env:NAME or command:COMMAND',
    defaultText: 'file:<data>/secrets-key',
    help: 'Master key of secrets: 32 bytes in base64 or hex, from file:PATH, env:NAME or command:COMMAND',
  },
  'old-secrets-key': {
    type: 'string',
    value: 'SOURCE',
    pattern: KEY_SOURCE,
    allowed: 'file:PATH, env:NAME or command:COMMAND',
    help: 'The master key until now, once, to go over to the one of --secrets-key',
  },
  sandbox: {
    type: 'string',
    value: 'KIND',
    default: 'auto',
    pattern: /^(auto|bubblewrap|jail|off)$/,
    allowed: 'auto, bubblewrap, jail or off',
    help: 'How processes that run Workers are confined; auto takes the best that works here (isola doctor)',
  },
  'require-sandbox': { type: 'boolean', help: 'Refuse to start without bubblewrap and its filters' },
  plans: { type: 'string', value: 'FILE', help: 'Price plans as JSON, beside the shipped ones or in their place' },
  'stripe-key': {
    type: 'string',
    value: 'SOURCE',
    pattern: /^(?:file|env):./s,
    allowed: 'file:PATH or env:NAME',
    help: 'Export usage to Stripe as meter events, with the key from file:PATH or env:NAME',
  },
  'stripe-url': {
    type: 'string',
    value: 'URL',
    default: 'https://api.stripe.com',
    // In the clear only where nobody can listen: the key goes along.
    pattern: /^(?:https:\/\/[^\s/?#@]+|http:\/\/(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?)\/?$/,
    allowed: 'an https:// address, or http:// on this machine',
    help: 'Where its API is',
  },
  'stripe-interval': {
    type: 'integer',
    value: 'SECONDS',
    default: 300,
    min: 1,
    max: 86_400,
    help: 'Time between two exports',
  },
  'otlp-endpoint': {
    type: 'string',
    value: 'URL',
    pattern: /^https?:\/\/\S+$/,
    allowed: 'a URL such as http://127.0.0.1:4318',
    defaultText: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    help: 'Export traces to this collector, by OTLP over HTTP',
  },
  'trace-ratio': {
    type: 'string',
    value: 'SHARE',
    default: '0.01',
    pattern: /^(0|1|0?\.\d{1,9}|1\.0*|0\.0*)$/,
    allowed: 'a number from 0 to 1',
    help: 'Share of requests that are traced',
  },
  json: { type: 'boolean', help: 'Print one JSON object per line: ready, token, cell-exit, invocation …' },
} as const;

export const serve = defineCommand({
  name: 'serve',
  summary: 'Run the platform: gateway, control API and cells',
  positionals: '',
  options: PLATFORM_OPTIONS,
  examples: [
    { line: 'isola serve', does: 'Visitors on port 8787, wrangler on 8788, data in ./.isola' },
    { line: 'isola serve --data /var/lib/isola --base-domain apps.example.com --host 0.0.0.0', does: 'On a server' },
    { line: 'ISOLA_ADMIN_TOKEN=… isola serve --json', does: 'With a token of your own, and logs for a machine' },
  ],
  run: (values) => servePlatform(values, { dataDir: resolve(values.data ?? '.isola') }),
});

export interface PlatformValues {
  readonly port: number;
  readonly 'control-port': number;
  readonly host: string;
  readonly cells: number | undefined;
  readonly 'cell-memory-mib': number | undefined;
  readonly 'cache-mib': number;
  readonly 'base-domain': string;
  readonly 'tls-cert': readonly string[];
  readonly 'tls-key': readonly string[];
  readonly 'tls-port': number;
  readonly 'tls-check-seconds': number;
  readonly 'redirect-https': boolean;
  readonly 'trust-proxy': string | undefined;
  readonly 'address-connections': number;
  readonly 'address-requests': number;
  readonly 'account-requests': number;
  readonly 'public-port': number | undefined;
  readonly 'dns-server': string | undefined;
  readonly 'allow-private-egress': boolean;
  readonly 'egress-ports': string | undefined;
  readonly 'egress-dns-server': string | undefined;
  readonly 'api-rate': number;
  readonly 'keep-versions': number;
  readonly 'keep-versions-mib': number;
  readonly 'keep-logs-days': number;
  readonly 'keep-logs-mib': number;
  readonly 'secrets-key': string | undefined;
  readonly 'old-secrets-key': string | undefined;
  readonly sandbox: string;
  readonly 'require-sandbox': boolean;
  readonly plans: string | undefined;
  readonly 'stripe-key': string | undefined;
  readonly 'stripe-url': string;
  readonly 'stripe-interval': number;
  readonly 'otlp-endpoint': string | undefined;
  readonly 'trace-ratio': string;
  readonly json: boolean;
}

export interface ServeOptions {
  readonly dataDir: string;
  /** Runs once the platform is up, before the ready line is printed. */
  readonly prepare?: (platform: Platform) => Promise<void>;
  /** Runs after the ready line. */
  readonly onReady?: (platform: Platform) => void;
}

/** Runs the platform until a signal; then drains it. Resolves to the exit code. */
export async function servePlatform(
  values: PlatformValues,
  { dataDir, prepare, onReady }: ServeOptions,
): Promise<number> {
  if (values.port !== 0 && values.port === values['control-port']) {
    throw new UsageError(`Cannot use --control-port ${values.port}: it is the gateway's --port; they must differ`);
  }
  const stopped = untilStopped(); // before the start, so that a signal during it is not lost
  const emit = values.json ? printJson : (event: PlatformEvent) => printEvent(event);
  const dashboardDir = await provideDashboard().catch((error: unknown) => {
    emit({ event: 'warning', message: error instanceof Error ? error.message : String(error) });
  });
  const platform = await start({
    ...toPlatformOptions(values, { dataDir, onEvent: emit }),
    dashboardDir: dashboardDir ?? undefined,
  });
  const failure = await prepare?.(platform).then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  if (failure !== undefined) {
    await platform.stop();
    throw failure.error;
  }
  const { gatewayUrl: gateway, tlsUrl: tls, controlUrl: control } = platform;
  emit({ event: 'ready', gateway, ...(tls !== undefined && { tls }), control, account: FIRST_ACCOUNT });
  onReady?.(platform);

  const signal = await stopped;
  emit({ event: 'stopping', signal });
  await platform.stop();
  emit({ event: 'stopped' });
  return 0;
}

async function start(options: PlatformOptions): Promise<Platform> {
  const { startPlatform } = await import('../supervisor/main.ts');
  try {
    return await startPlatform(options);
  } catch (error) {
    throw toListenError(error, { ...options, tlsPort: options.tls?.port }) ?? toOptionError(error) ?? error;
  }
}

/** What keeps a server from listening is the most common failure of a start: say which port, and what to do. */
export function toListenError(
  error: unknown,
  {
    host,
    port,
    controlPort,
    tlsPort,
  }: Pick<PlatformOptions, 'host' | 'port'> & {
    controlPort?: number;
    tlsPort?: number | undefined;
  },
): CommandError | undefined {
  const { code, message = '' } = (error ?? {}) as { code?: string; message?: string };
  if (!message.startsWith('listen ')) return undefined; // a file can be refused by the same codes
  // Across a process border only code and message survive: `listen EADDRINUSE: address already in use 127.0.0.1:8787`.
  const failed = Number(/:(\d+)$/.exec(message)?.[1] ?? port);
  const option = failed === controlPort ? '--control-port' : failed === tlsPort ? '--tls-port' : '--port';
  const reasons: Record<string, string> = {
    EADDRINUSE: `port ${failed} of ${host} is in use by another program. Stop it, or choose another ${option}`,
    EACCES: `this user may not open port ${failed}. Choose a ${option} from 1024 on, or allow it`,
    EADDRNOTAVAIL: `${host} is not an address of this machine. Choose another --host`,
  };
  const reason = code === undefined ? undefined : reasons[code];
  return reason === undefined ? undefined : new CommandError(`Cannot listen: ${reason}.`, { cause: error });
}

/** Files and networks that options name are looked at by who uses them. */
function toOptionError(error: unknown): CommandError | undefined {
  const { message = '' } = (error ?? {}) as { message?: string };
  if (!/^Cannot (confine|use|read|trust) /.test(message)) return undefined;
  return new CommandError(message, { cause: error });
}

/** The endpoint by the name that OpenTelemetry has for it, unless it is said here. */
function toTracingOption(values: PlatformValues): PlatformOptions['tracing'] {
  const endpoint = values['otlp-endpoint'] ?? process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? '';
  return endpoint === '' ? undefined : { endpoint, ratio: Number(values['trace-ratio']) };
}

function toPlatformOptions(
  values: PlatformValues,
  { dataDir, onEvent }: { dataDir: string; onEvent: (event: PlatformEvent) => void },
): PlatformOptions {
  const adminToken = process.env['ISOLA_ADMIN_TOKEN'];
  if (adminToken !== undefined && adminToken.length < 16) {
    throw new UsageError('Cannot use ISOLA_ADMIN_TOKEN: must be at least 16 characters, it guards the whole platform');
  }
  return {
    host: values.host,
    port: values.port,
    controlPort: values['control-port'],
    dataDir,
    cells: values.cells ?? Math.max(1, availableParallelism() - 1),
    cellMemoryBytes: values['cell-memory-mib'] === undefined ? undefined : values['cell-memory-mib'] * MIB,
    cacheBytes: values['cache-mib'] * MIB,
    keepVersions: values['keep-versions'],
    keepVersionBytes: values['keep-versions-mib'] * MIB,
    keepLogDays: values['keep-logs-days'],
    keepLogBytes: values['keep-logs-mib'] * MIB,
    baseDomain: values['base-domain'],
    trustedProxies: values['trust-proxy']?.split(',') ?? [],
    loadLimits: {
      addressConnections: values['address-connections'],
      addressRequests: values['address-requests'],
      accountRequests: values['account-requests'],
    },
    secretsKey: toKeySource(values['secrets-key']),
    oldSecretsKey: toKeySource(values['old-secrets-key']),
    allowPrivateEgress: values['allow-private-egress'],
    egressPorts: values['egress-ports'],
    egressDnsServer: values['egress-dns-server'],
    apiRate: values['api-rate'],
    sandbox: values.sandbox as SandboxMode,
    requireSandbox: values['require-sandbox'],
    tracing: toTracingOption(values),
    onEvent,
    ...toTlsOption(values),
    ...toStripeOption(values),
    ...(values['public-port'] !== undefined && { publicPort: values['public-port'] }),
    ...(values['dns-server'] !== undefined && { dnsServer: values['dns-server'] }),
    ...(values.plans !== undefined && { plansFile: resolve(values.plans) }),
    ...(adminToken === undefined ? {} : { adminToken }),
  };
}

function toTlsOption(values: PlatformValues): Pick<PlatformOptions, 'tls'> {
  const { 'tls-cert': certs, 'tls-key': keys, 'tls-port': port, 'redirect-https': redirect } = values;
  const checkMs = values['tls-check-seconds'] * 1_000;
  if (certs.length !== keys.length) {
    throw new UsageError(`Cannot use ${certs.length} --tls-cert with ${keys.length} --tls-key: each needs the other`);
  }
  if (certs.length === 0) {
    if (redirect) throw new UsageError('Cannot use --redirect-https without --tls-cert and --tls-key');
    return {};
  }
  const files = certs.map((cert, at) => ({ cert: resolve(cert), key: resolve(keys[at] ?? '') }));
  return { tls: { port, files, redirect, checkMs } };
}

function toStripeOption(values: PlatformValues): Pick<PlatformOptions, 'stripe'> {
  const { 'stripe-key': keySource, 'stripe-url': url, 'stripe-interval': seconds } = values;
  return keySource === undefined ? {} : { stripe: { keySource, url, intervalMs: seconds * 1_000 } };
}

function toKeySource(text: string | undefined): KeySource | undefined {
  return text === undefined ? undefined : parseKeySource(text);
}

function printJson(event: PlatformEvent): void {
  // Readers take some of the characters beyond ASCII for the end of a line, and tenants choose what is logged.
  printLine(toAsciiJson(event));
}

/** A URL that stands out. */
export function paintUrl(url: string): string {
  return paint(['bold', 'cyan'], url);
}
