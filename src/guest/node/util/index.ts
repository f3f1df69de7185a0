/**
 * `node:util`. Called by parts/node-util.ts.
 * Promise: as Node's, with the runtime's own `inspect` (no colours, bounded) and without what asks the operating system.
 * Start here; compare.ts for deep equality.
 */
import { format as formatConsole, TextDecoder, TextEncoder } from '../../core.ts';
import { checkFunction, checkString, invalidArgType, nodeError, notAvailable } from '../errors.ts';
import { isDeepEqual } from './compare.ts';
import { format, formatWithOptions, inspect } from './inspect.ts';
import { MIMEParams, MIMEType } from './mime.ts';
import { types } from './types.ts';

/** Of the bundler's own making: this package takes 3 ms to be evaluated, which is done when it is called. */
declare const require: (name: string) => unknown;
type ParseArgs = { readonly parseArgs: (config?: object) => object };

type Callback = (error: unknown, ...values: unknown[]) => void;
type Fn = (this: unknown, ...args: unknown[]) => unknown;

const PROMISIFY = Symbol.for('nodejs.util.promisify.custom');
const PROMISIFY_NAMES = Symbol.for('nodejs.util.promisify.customArgs');

function promisify(original: unknown): Fn {
  checkFunction(original, 'original');
  const custom: unknown = Reflect.get(original, PROMISIFY);
  if (custom !== undefined && custom !== null) {
    checkFunction(custom, 'util.promisify.custom');
    return Object.defineProperty(custom as Fn, PROMISIFY, { value: custom, configurable: true });
  }
  const names = Reflect.get(original, PROMISIFY_NAMES) as string[] | undefined;
  const promised = function (this: unknown, ...args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const callback: Callback = (error, ...values) => {
        if (error !== undefined && error !== null && error !== false && error !== 0 && error !== '') reject(error);
        else if (names !== undefined && values.length > 1)
          resolve(Object.fromEntries(names.map((name, i) => [name, values[i]])));
        else resolve(values[0]);
      };
      const returned: unknown = Reflect.apply(original, this, [...args, callback] as never);
      if (types['isPromise']!(returned)) {
        console.warn('DeprecationWarning: Calling promisify on a function that returns a Promise is likely a mistake.');
      }
    });
  };
  Object.setPrototypeOf(promised, Object.getPrototypeOf(original) as object);
  Object.defineProperty(promised, PROMISIFY, { value: promised, configurable: true });
  return Object.defineProperties(promised, Object.getOwnPropertyDescriptors(original)) as Fn;
}
promisify.custom = PROMISIFY;

function callbackify(original: unknown): Fn {
  checkFunction(original, 'original');
  const called = function (this: unknown, ...args: unknown[]): void {
    const callback = args.pop();
    checkFunction(callback, 'last argument');
    const later = (...values: unknown[]): void => {
      // Thrown from a callback, an error must not become a rejection of the promise.
      queueMicrotask(() => Reflect.apply(callback as Fn, this, values));
    };
    (Reflect.apply(original, this, args as never) as Promise<unknown>).then(
      (value) => later(null, value),
      (reason: unknown) => later(reason ?? wrapReason(reason)),
    );
  };
  const descriptors = Object.getOwnPropertyDescriptors(original) as Record<string, PropertyDescriptor>;
  const { name, length } = descriptors;
  if (typeof length?.value === 'number') length.value++;
  if (typeof name?.value === 'string') name.value += 'Callbackified';
  return Object.defineProperties<Fn>(called, descriptors);
}

function wrapReason(reason: unknown): Error {
  const error = nodeError(Error, 'ERR_FALSY_VALUE_REJECTION', 'Promise was rejected with falsy value');
  return Object.assign(error, { reason });
}

function inherits(type: unknown, parent: unknown): void {
  checkFunction(type, 'ctor');
  checkFunction(parent, 'superCtor');
  if (parent.prototype === undefined) throw invalidArgType('superCtor.prototype', 'of type object', parent.prototype);
  Object.defineProperty(type, 'super_', { value: parent, writable: true, configurable: true });
  Object.setPrototypeOf(type.prototype, parent.prototype as object);
}

function deprecate(fn: unknown, message: string, code?: string): Fn {
  checkFunction(fn, 'fn');
  let warned = false;
  const deprecated = function (this: unknown, ...args: unknown[]): unknown {
    if (!warned) {
      warned = true;
      console.warn(`${code === undefined ? '' : `[${code}] `}DeprecationWarning: ${message}`);
    }
    return new.target === undefined
      ? Reflect.apply(fn, this, args as never)
      : (Reflect.construct(fn, args, new.target) as unknown);
  };
  Object.setPrototypeOf(deprecated, fn);
  if (fn.prototype !== undefined) deprecated.prototype = fn.prototype as object;
  return deprecated;
}

/** `NODE_DEBUG` is a matter of processes: here it is never set. */
function debuglog(): Fn & { enabled: boolean } {
  return Object.assign(() => undefined, { enabled: false });
}

const STYLES: Readonly<Record<string, readonly [open: number, close: number]>> = {
  reset: [0, 0],
  bold: [1, 22],
  dim: [2, 22],
  italic: [3, 23],
  underline: [4, 24],
  blink: [5, 25],
  inverse: [7, 27],
  hidden: [8, 28],
  strikethrough: [9, 29],
  doubleunderline: [21, 24],
  black: [30, 39],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
  white: [37, 39],
  gray: [90, 39],
  grey: [90, 39],
  redBright: [91, 39],
  greenBright: [92, 39],
  yellowBright: [93, 39],
  blueBright: [94, 39],
  magentaBright: [95, 39],
  cyanBright: [96, 39],
  whiteBright: [97, 39],
  bgBlack: [40, 49],
  bgRed: [41, 49],
  bgGreen: [42, 49],
  bgYellow: [43, 49],
  bgBlue: [44, 49],
  bgMagenta: [45, 49],
  bgCyan: [46, 49],
  bgWhite: [47, 49],
};
Object.assign(inspect.colors, STYLES);

function styleText(names: unknown, text: unknown): string {
  checkString(text, 'text');
  let open = '';
  let close = '';
  for (const name of Array.isArray(names) ? (names as unknown[]) : [names]) {
    const style = STYLES[String(name)];
    if (style === undefined)
      throw nodeError(
        TypeError,
        'ERR_INVALID_ARG_VALUE',
        `The argument 'format' is invalid. Received ${inspect(name)}`,
      );
    open += `\u001B[${style[0]}m`;
    close = `\u001B[${style[1]}m${close}`;
  }
  return open + text + close;
}

// oxlint-disable-next-line no-control-regex -- control sequences are what is looked for
const CONTROL =
  /[\u001B\u009B][[\]()#;?]*(?:(?:(?:(?:;[-a-zA-Z\d/#&.:=?%@~_]+)*|[a-zA-Z\d]+(?:;[-a-zA-Z\d/#&.:=?%@~_]*)*)?(?:\u0007|\u001B\u005C|\u009C))|(?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]))/g;

function stripVTControlCharacters(text: unknown): string {
  checkString(text, 'str');
  return text.replaceAll(CONTROL, '');
}

function parseEnv(content: unknown): Record<string, string> {
  checkString(content, 'content');
  const found: Record<string, string> = {};
  const line = /^\s*(?:export\s+)?([\w.-]+)\s*=[^\S\n]*("(?:[^"\\]|\\.)*"|'[^']*'|`[^`]*`|[^\n#]*)[^\n]*$/gm;
  for (const [, key = '', raw = ''] of content.replaceAll('\r\n', '\n').matchAll(line)) {
    const quote = /^["'`]/.exec(raw)?.[0];
    const value = quote === undefined ? raw.trim() : raw.slice(1, -1);
    found[key] = quote === '"' ? value.replaceAll(String.raw`\n`, '\n') : value;
  }
  return found;
}

function aborted(signal: AbortSignal, resource: object): Promise<void> {
  if (typeof resource !== 'object' || resource === null) throw invalidArgType('resource', 'of type object', resource);
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function missing(name: string): () => never {
  return () => {
    throw notAvailable(`util.${name}`);
  };
}

function getCallSites(count = 8): object[] {
  const lines = (new Error('').stack ?? '').split('\n').slice(2, 2 + count);
  return lines.map((line) => {
    const [, functionName = '', scriptName = '', lineNumber = 0, column = 0] =
      /at (?:(.*?) \()?(.*?):(\d+):(\d+)\)?$/.exec(line) ?? [];
    return {
      functionName,
      scriptId: '0',
      scriptName,
      lineNumber: Number(lineNumber),
      columnNumber: Number(column),
      column: Number(column),
    };
  });
}

export const util = {
  MIMEParams,
  MIMEType,
  TextDecoder,
  TextEncoder,
  _errnoException: missing('_errnoException'),
  _exceptionWithHostPort: missing('_exceptionWithHostPort'),
  _extend: (target: object, source: unknown): object =>
    typeof source === 'object' && source !== null ? Object.assign(target, source) : target,
  aborted,
  callbackify,
  debug: debuglog,
  debuglog,
  deprecate,
  diff: missing('diff'),
  format,
  formatWithOptions,
  getCallSites,
  getSystemErrorMap: missing('getSystemErrorMap'),
  getSystemErrorMessage: missing('getSystemErrorMessage'),
  getSystemErrorName: missing('getSystemErrorName'),
  inherits,
  inspect,
  isArray: Array.isArray,
  isBoolean: (value: unknown) => typeof value === 'boolean',
  isBuffer: (value: unknown) => value instanceof Uint8Array && value.constructor.name === 'Buffer',
  isDate: types['isDate'],
  isDeepStrictEqual: (a: unknown, b: unknown) => isDeepEqual(a, b),
  isError: (value: unknown) => types['isNativeError']!(value) || value instanceof Error,
  isFunction: (value: unknown) => typeof value === 'function',
  isNull: (value: unknown) => value === null,
  isNullOrUndefined: (value: unknown) => value === null || value === undefined,
  isNumber: (value: unknown) => typeof value === 'number',
  isObject: (value: unknown) => typeof value === 'object' && value !== null,
  isPrimitive: (value: unknown) => (typeof value !== 'object' && typeof value !== 'function') || value === null,
  isRegExp: types['isRegExp'],
  isString: (value: unknown) => typeof value === 'string',
  isSymbol: (value: unknown) => typeof value === 'symbol',
  isUndefined: (value: unknown) => value === undefined,
  log: (...args: unknown[]) => {
    console.log(formatConsole(args));
  },
  parseArgs: (config?: object) => (require('@pkgjs/parseargs') as ParseArgs).parseArgs(config),
  parseEnv,
  promisify,
  stripVTControlCharacters,
  styleText,
  toUSVString: (text: unknown) => String(text).toWellFormed(),
  transferableAbortController: () => new AbortController(),
  transferableAbortSignal: (signal: AbortSignal) => signal,
  types,
};
