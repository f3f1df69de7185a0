/** What the engine calls before any tenant code: connects the callbacks, hardens the global, hands out the entry points. */
import {
  type BootOptions,
  type ConfigureOptions,
  type GuestEntryPoints,
  HOST_SYNC,
  type HostFunction,
  type HostSyncFunction,
} from '../abi.ts';
import { setRandomSource } from '../crypto.ts';
import { captureBase64 } from '../encoding/index.ts';
import { setErrorReporter, setEventClock, setTimers } from '../events/index.ts';
import type * as loader from '../parts/module-loader.ts';
import type * as worker from '../parts/service-worker.ts';
import { setDomainToAscii } from '../url/index.ts';
import { sinceOrigin } from './clocks.ts';
import { describeError } from './describe.ts';
import { enter } from './enter.ts';
import { createEnv } from './env.ts';
import { setCompatibility } from './flags.ts';
import { harden } from './harden.ts';
import { attachHandlers } from './handlers.ts';
import { beginEntry, connect, hostSync } from './host.ts';
import { jsonParse } from './intrinsics.ts';
import { requireInvocation } from './invocations.ts';
import { limits } from './limits.ts';
import { builtin, provide, take } from './modules.ts';
import { enableNode } from './node-modules.ts';
import { loadPart } from './parts.ts';
import { clearTimer, startTimer } from './timers.ts';
import { installStacks } from './stacks.ts';
import { reportUncaught } from './uncaught.ts';

export function boot(
  hostFunction: HostFunction,
  hostQueued: HostFunction,
  hostSyncFunction: HostSyncFunction,
  optionsJson: string,
): GuestEntryPoints {
  const options = jsonParse(optionsJson) as BootOptions;
  connect(hostFunction, hostQueued, hostSyncFunction);
  beginEntry(options.now, false);
  limits.maxTimers = options.maxTimers;
  limits.maxPendingHostCalls = options.maxPendingHostCalls;
  limits.maxWasmInstances = options.maxWasmInstances;
  limits.memoryMiB = options.memoryMiB;
  setTimers({ set: startTimer, clear: clearTimer });
  setEventClock(sinceOrigin);
  setRandomSource((count) => {
    requireInvocation();
    return hostSync(HOST_SYNC.random, count) as ArrayBuffer;
  });
  setDomainToAscii((domain) => hostSync(HOST_SYNC.domainToAscii, domain) as string | undefined);
  setErrorReporter(reportUncaught);
  captureBase64();
  harden();
  installStacks();
  return {
    enter,
    provide,
    configure,
    builtin,
    importer: (name, isMain) => moduleLoader().importer(name, isMain),
    commonJs: (factory, name) => moduleLoader().commonJs(factory, name),
    take,
    put: (key, namespace) => {
      moduleLoader().put(key, namespace);
    },
    attach,
    describe,
  };
}

function configure(optionsJson: string): void {
  const { bindings, subrequests, asGlobals, ...options } = jsonParse(optionsJson) as ConfigureOptions;
  limits.subrequests = subrequests;
  setCompatibility(options.compatibilityDate, options.compatibilityFlags);
  createEnv(bindings, asGlobals === true);
  enableNode(bindings);
}

function attach(namespace?: unknown): string {
  return namespace === undefined ? serviceWorker().attachListeners() : attachHandlers(namespace);
}

function moduleLoader(): typeof loader {
  return loadPart('module-loader') as typeof loader;
}

function serviceWorker(): typeof worker {
  return loadPart('service-worker') as typeof worker;
}

function describe(error: unknown): string {
  const { name, message, stack } = describeError(error);
  return `${oneLine(name)}\n${oneLine(message)}\n${stack}`;
}

/** The fields of a description are parted by line breaks. */
function oneLine(text: string): string {
  let line = '';
  for (let i = 0; i < text.length; i++) line += text[i] === '\n' || text[i] === '\r' ? ' ' : text[i]!;
  return line;
}
