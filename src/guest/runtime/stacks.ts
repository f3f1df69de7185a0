/**
 * Stacks as a tenant sees them: without the frames of the runtime, in the text as in the call sites that the tenant's own
 * `Error.prepareStackTrace` is given.
 */
import { objectDefineProperty, objectGetPrototypeOf, reflectApply, uncurryThis } from '../primordials.ts';
import { nameFunction } from '../webidl.ts';
import { SafeWeakMap, stringIndexOf, stringSlice } from './intrinsics.ts';

type PrepareStackTrace = (error: object, sites: readonly object[]) => unknown;

const NativeError = Error;
const errorToString = uncurryThis(Error.prototype.toString) as (error: object) => string;
const OWN_SCRIPT = 'isola:';

let siteToString: (site: object) => string;
let scriptOf: (site: object) => unknown;
/** The tenant's own, in what leaves our frames out. */
let prepare: PrepareStackTrace | undefined;
const tenants = new SafeWeakMap<object, PrepareStackTrace>();
/** The latest Error whose stack was read with no JavaScript running. */
let lastRead: object | undefined;
let isProbing = false;

/** After the context has been made: the methods of a call site are to be had from one alone. */
export function installStacks(): void {
  const holder = NativeError as { prepareStackTrace?: unknown };
  holder.prepareStackTrace = (_: object, sites: readonly object[]) => objectGetPrototypeOf(sites[0]!);
  const prototype = new NativeError().stack as unknown as Record<string, unknown> | undefined;
  if (prototype === undefined) return; // a snapshot is being made: errors have no stack then
  siteToString = uncurryThis(prototype['toString']) as typeof siteToString;
  scriptOf = uncurryThis(prototype['getScriptNameOrSourceURL']) as typeof scriptOf;
  nameFunction(format, 'prepareStackTrace');
  Object.defineProperty(NativeError, 'prepareStackTrace', {
    get: () => (isProbing ? undefined : (prepare ?? format)),
    set: (value: unknown) => {
      if (typeof value !== 'function' || value === format) prepare = undefined;
      else prepare = tenants.has(value) ? (value as PrepareStackTrace) : wrap(value as PrepareStackTrace);
    },
    enumerable: false,
    configurable: true,
  });
}

/** Answers it once. */
export function takeLastRead(): object | undefined {
  const read = lastRead;
  lastRead = undefined;
  return read;
}

function wrap(tenant: PrepareStackTrace): PrepareStackTrace {
  const wrapped: PrepareStackTrace = (error, sites) => reflectApply(tenant, NativeError, [error, withoutOwn(sites)]);
  tenants.set(wrapped, tenant);
  return wrapped;
}

/** As V8 does it. */
function format(error: object, sites: readonly object[]): string {
  if (!isJavaScriptRunning()) lastRead = error;
  let text = errorToString(error);
  for (let i = 0; i < sites.length; i++) {
    const site = sites[i]!;
    if (!isOwn(site)) text += `\n    at ${siteToString(site)}`;
  }
  return text;
}

function withoutOwn(sites: readonly object[]): object[] {
  const kept: object[] = [];
  for (let i = 0, at = 0; i < sites.length; i++) {
    const site = sites[i]!;
    if (!isOwn(site)) arrayDefine(kept, at++, site);
  }
  return kept;
}

/** Not an assignment: a tenant may have put a setter on `Array.prototype`. */
function arrayDefine(array: object[], at: number, value: object): void {
  objectDefineProperty(array, at, {
    // @ts-expect-error -- a literal's prototype: the tenant's may have a `get`
    __proto__: null,
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

function isOwn(site: object): boolean {
  const script = scriptOf(site);
  return typeof script === 'string' && stringSlice(script, 0, OWN_SCRIPT.length) === OWN_SCRIPT;
}

/** V8 formats a stack when JavaScript reads it, but for one reader: isolated-vm. Then there is no frame below `format`. */
function isJavaScriptRunning(): boolean {
  isProbing = true;
  try {
    const probe = { stack: '' };
    NativeError.captureStackTrace(probe, isJavaScriptRunning);
    const own = stringIndexOf(probe.stack, '\n    at');
    // Without frames at all, the tenant has set `Error.stackTraceLimit` to 0.
    return own === -1 || stringIndexOf(probe.stack, '\n    at', own + 1) !== -1;
  } catch {
    return true;
  } finally {
    isProbing = false;
  }
}
