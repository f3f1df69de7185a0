/** What the engine calls before any tenant code: connects the callbacks, hardens the global, hands out the entry points. */
import {
  type AttachOptions,
  type BootOptions,
  type GuestEntryPoints,
  HOST_SYNC,
  type HostFunction,
  type HostSyncFunction,
} from '../abi.ts';
import { setRandomSource } from '../crypto.ts';
import { setErrorReporter, setEventClock, setTimers } from '../events/index.ts';
import { setDomainToAscii } from '../url/index.ts';
import { sinceOrigin } from './clocks.ts';
import { describeError } from './describe.ts';
import { enter } from './enter.ts';
import { createEnv } from './env.ts';
import { harden } from './harden.ts';
import { attachHandlers } from './handlers.ts';
import { beginEntry, connect, hostSync } from './host.ts';
import { jsonParse } from './intrinsics.ts';
import { currentInvocation, reportException, requireInvocation } from './invocations.ts';
import { limits } from './limits.ts';
import { provide, take } from './modules.ts';
import { clearTimer, startTimer } from './timers.ts';

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
  limits.wasmMemoryMiB = options.memoryMiB;
  setTimers({ set: startTimer, clear: clearTimer });
  setEventClock(sinceOrigin);
  setRandomSource((count) => {
    requireInvocation();
    return hostSync(HOST_SYNC.random, count) as ArrayBuffer;
  });
  setDomainToAscii((domain) => hostSync(HOST_SYNC.domainToAscii, domain) as string | undefined);
  setErrorReporter((error) => {
    reportException(currentInvocation(), error);
  });
  harden();
  return { enter, provide, take, attach, describe };
}

function attach(namespace: unknown, optionsJson: string): string {
  const options = jsonParse(optionsJson) as AttachOptions;
  limits.subrequests = options.subrequests;
  return attachHandlers(namespace, createEnv(options.bindings));
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
