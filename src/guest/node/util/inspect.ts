/** `util.inspect` and `util.format`: those of the console, and what objects say of themselves. */
import { type CustomInspect, format as formatConsole, inspectWith } from '../../core.ts';

interface Options {
  readonly depth?: number | null;
  readonly customInspect?: boolean;
}

const CUSTOM = Symbol.for('nodejs.util.inspect.custom');
const NO_LIMIT = 1_000;
const BUDGET = { characters: 1024 * 1024, values: 40_000 };

export function inspect(value: unknown, ...rest: unknown[]): string {
  const [first, second] = rest;
  const options: Options =
    typeof first === 'object' && first !== null
      ? first
      : typeof second === 'number' || second === null
        ? { depth: second }
        : {};
  const { depth = inspect.defaultOptions.depth, customInspect = true } = options;
  const maxDepth = depth === null || depth === Infinity ? NO_LIMIT : depth;
  const settings = { ...inspect.defaultOptions, ...options, stylize: (text: string) => text };
  const ask: CustomInspect = (object, left) => {
    const method: unknown = Reflect.get(object, CUSTOM);
    if (typeof method !== 'function' || method === inspect) return undefined;
    const shown: unknown = Reflect.apply(method, object, [left, { ...settings, depth: left }, inspect]);
    if (shown === object) return undefined;
    return typeof shown === 'string' ? shown : inspect(shown, { ...options, depth: left });
  };
  return inspectWith(value, { ...BUDGET }, maxDepth, customInspect ? ask : undefined);
}
inspect.custom = CUSTOM;
inspect.defaultOptions = {
  showHidden: false,
  depth: 2 as number | null,
  colors: false,
  customInspect: true,
  showProxy: false,
  maxArrayLength: 100,
  maxStringLength: 10_000,
  breakLength: 128,
  compact: 3,
  sorted: false,
  getters: false,
  numericSeparator: false,
};
inspect.colors = {} as Record<string, [number, number]>;
inspect.styles = {} as Record<string, string>;

export function format(...args: unknown[]): string {
  const shown = args.map((arg, i) =>
    (i > 0 || typeof arg !== 'string') && hasCustom(arg) ? new Shown(inspect(arg)) : arg,
  );
  if (!shown.some((arg) => arg instanceof Shown)) return formatConsole(args);
  const [first] = shown;
  if (typeof first === 'string' && first.includes('%')) {
    return formatConsole(shown.map((arg) => (arg instanceof Shown ? arg.text : arg)));
  }
  return shown.map((arg) => (arg instanceof Shown ? arg.text : typeof arg === 'string' ? arg : inspect(arg))).join(' ');
}

export function formatWithOptions(_options: object, ...args: unknown[]): string {
  return format(...args);
}

function hasCustom(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, CUSTOM) === 'function';
}

class Shown {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}
