/**
 * What handlers get: element, text, comment, doctype, end tag and end of the document. Each is valid while its handler
 * runs; afterwards every method throws, since what it stands for has been written out.
 */
import {
  defineInterface,
  isReadableStream,
  objectFreeze,
  promiseResolve,
  promiseThen,
  reflectApply,
  requireArguments,
  Response,
  responseState,
  responseText,
  SafeMap,
  toDOMString,
} from '../core.ts';
import type { Machine, MachineCallback } from './machine.ts';

/** Runs a tenant's handler with a token made of a handle; answers a promise when the rewriter has to wait. */
export type RunHandler = <T extends Token>(
  handler: (token: T) => unknown,
  receiver: unknown,
  token: T,
) => Promise<unknown> | undefined;

const KEY = Symbol('key'); // only the rewriter makes tokens
const arrayValues = Array.prototype.values;

interface TokenState {
  readonly machine: Machine;
  readonly run: RunHandler;
  /** Prefix of the machine's functions. */
  readonly prefix: string;
  /** 0 once the handler has ended. */
  pointer: number;
  /** Content that is still being read, and what is to be inserted after it. */
  pending: Promise<unknown> | undefined;
}

let stateOf: (token: Token) => TokenState;

export class Token {
  readonly #state: TokenState;

  static {
    stateOf = (token) => token.#state;
  }

  constructor(key: unknown, state: TokenState) {
    if (key !== KEY) throw new TypeError('Illegal constructor');
    this.#state = state;
  }
}

type TokenClass<T extends Token> = new (key: unknown, state: TokenState) => T;

const PREFIXES = new SafeMap<unknown, string>();

export interface TokenContext {
  readonly machine: Machine;
  readonly run: RunHandler;
}

export function createToken<T extends Token>(type: TokenClass<T>, handle: unknown, { machine, run }: TokenContext): T {
  const prefix = PREFIXES.get(type)!;
  return new type(KEY, { machine, run, prefix, pointer: handle as number, pending: undefined });
}

/** What of a token has to be waited for before its handler counts as ended. */
export function pendingOf(token: Token): Promise<unknown> | undefined {
  return stateOf(token).pending;
}

/** The handler has ended. */
export function endToken(token: Token): void {
  const state = stateOf(token);
  const { pointer } = state;
  if (pointer === 0) return;
  state.pointer = 0;
  state.machine.call(`__wbg_${state.prefix}_free`, pointer);
}

function live(token: Token): TokenState {
  const state = stateOf(token);
  if (state.pointer === 0) {
    throw new TypeError(
      'This content token is no longer valid. Content tokens are only valid during the execution of the relevant content handler.',
    );
  }
  return state;
}

interface ContentOptions {
  html?: boolean;
}

/** A string goes in at once; a stream or a Response when it has been read, and what comes after it waits. */
function insert(token: Token, operation: string, content: unknown, options: unknown): void {
  const state = live(token);
  const html = options !== undefined && options !== null && !!(options as ContentOptions).html;
  const name = `${state.prefix}_${operation}`;
  const put = (text: string): void => {
    live(token);
    state.machine.callWithContent(name, state.pointer, text, html);
  };
  const reading = readContent(content);
  if (reading === undefined) {
    const text = toDOMString(content);
    if (state.pending === undefined) put(text);
    else state.pending = promiseThen(state.pending, () => put(text));
    return;
  }
  // Read at once; a failure shows where it is waited for.
  void promiseThen(reading, undefined, () => {});
  const before = state.pending ?? promiseResolve(undefined);
  state.pending = promiseThen(before, () => promiseThen(reading, put));
}

/** The text of a Response or a stream; undefined for any other value. Throws a TypeError when it has been used. */
function readContent(content: unknown): Promise<string> | undefined {
  if (responseState(content) !== undefined) return responseText(content as Response);
  return isReadableStream(content) ? responseText(new Response(content)) : undefined;
}

function read(token: Token, property: string): string {
  const { machine, prefix, pointer } = live(token);
  return machine.callForText(`${prefix}_${property}`, pointer);
}

function readValue(token: Token, property: string, argument?: string): unknown {
  const { machine, prefix, pointer } = live(token);
  return machine.callForValue(`${prefix}_${property}`, pointer, argument);
}

function perform(token: Token, operation: string, ...texts: string[]): number {
  const { machine, prefix, pointer } = live(token);
  return machine.callWithText(`${prefix}_${operation}`, pointer, ...texts);
}

export class Element extends Token {
  get tagName(): string {
    return read(this, 'tag_name');
  }
  set tagName(name: string) {
    perform(this, 'set_tag_name', toDOMString(name));
  }

  get namespaceURI(): string {
    return readValue(this, 'namespace_uri') as string;
  }

  get removed(): boolean {
    return perform(this, 'removed') !== 0;
  }

  /** Pairs of names and values, as they are now. */
  get attributes(): IterableIterator<[string, string]> {
    return reflectApply(arrayValues, readValue(this, 'attributes'), []) as IterableIterator<[string, string]>;
  }

  getAttribute(name: string): string | null {
    requireArguments(arguments.length, 1, "Failed to execute 'getAttribute' on 'Element'");
    return readValue(this, 'getAttribute', toDOMString(name)) as string | null;
  }

  hasAttribute(name: string): boolean {
    requireArguments(arguments.length, 1, "Failed to execute 'hasAttribute' on 'Element'");
    return perform(this, 'hasAttribute', toDOMString(name)) !== 0;
  }

  setAttribute(name: string, value: string): this {
    requireArguments(arguments.length, 2, "Failed to execute 'setAttribute' on 'Element'");
    perform(this, 'setAttribute', toDOMString(name), toDOMString(value));
    return this;
  }

  removeAttribute(name: string): this {
    requireArguments(arguments.length, 1, "Failed to execute 'removeAttribute' on 'Element'");
    perform(this, 'removeAttribute', toDOMString(name));
    return this;
  }

  before(content: unknown, options?: unknown): this {
    insert(this, 'before', content, options);
    return this;
  }

  after(content: unknown, options?: unknown): this {
    insert(this, 'after', content, options);
    return this;
  }

  prepend(content: unknown, options?: unknown): this {
    insert(this, 'prepend', content, options);
    return this;
  }

  append(content: unknown, options?: unknown): this {
    insert(this, 'append', content, options);
    return this;
  }

  replace(content: unknown, options?: unknown): this {
    insert(this, 'replace', content, options);
    return this;
  }

  setInnerContent(content: unknown, options?: unknown): this {
    insert(this, 'setInnerContent', content, options);
    return this;
  }

  remove(): this {
    perform(this, 'remove');
    return this;
  }

  removeAndKeepContent(): this {
    perform(this, 'removeAndKeepContent');
    return this;
  }

  /** Calls the handler with the end tag. Throws a TypeError for an element that has none. */
  onEndTag(handler: (tag: EndTag) => unknown): void {
    const { machine, run, pointer } = live(this);
    if (typeof handler !== 'function') {
      throw new TypeError("Failed to execute 'onEndTag' on 'Element': parameter 1 is not of type 'Function'");
    }
    const context = objectFreeze({ machine, run });
    const callback: MachineCallback = (handle) => run(handler, undefined, createToken(EndTag, handle, context));
    machine.onEndTag(pointer, callback);
  }
}

export class EndTag extends Token {
  get name(): string {
    return read(this, 'name');
  }
  set name(name: string) {
    perform(this, 'set_name', toDOMString(name));
  }

  before(content: unknown, options?: unknown): this {
    insert(this, 'before', content, options);
    return this;
  }

  after(content: unknown, options?: unknown): this {
    insert(this, 'after', content, options);
    return this;
  }

  remove(): this {
    perform(this, 'remove');
    return this;
  }
}

/** What text and comments have in common. */
class Replaceable extends Token {
  get removed(): boolean {
    return perform(this, 'removed') !== 0;
  }

  before(content: unknown, options?: unknown): this {
    insert(this, 'before', content, options);
    return this;
  }

  after(content: unknown, options?: unknown): this {
    insert(this, 'after', content, options);
    return this;
  }

  replace(content: unknown, options?: unknown): this {
    insert(this, 'replace', content, options);
    return this;
  }

  remove(): this {
    perform(this, 'remove');
    return this;
  }
}

export class Comment extends Replaceable {
  get text(): string {
    return read(this, 'text');
  }
  set text(text: string) {
    perform(this, 'set_text', toDOMString(text));
  }
}

export class Text extends Replaceable {
  get text(): string {
    return read(this, 'text');
  }

  get lastInTextNode(): boolean {
    return perform(this, 'last_in_text_node') !== 0;
  }
}

export class Doctype extends Token {
  get name(): string | null {
    return readValue(this, 'name') as string | null;
  }

  get publicId(): string | null {
    return readValue(this, 'public_id') as string | null;
  }

  get systemId(): string | null {
    return readValue(this, 'system_id') as string | null;
  }
}

export class DocumentEnd extends Token {
  append(content: unknown, options?: unknown): this {
    insert(this, 'append', content, options);
    return this;
  }
}

PREFIXES.set(Element, 'element');
PREFIXES.set(EndTag, 'endtag');
PREFIXES.set(Comment, 'comment');
PREFIXES.set(Text, 'textchunk');
PREFIXES.set(Doctype, 'doctype');
PREFIXES.set(DocumentEnd, 'documentend');
defineInterface(Element, 'Element', { before: 1, after: 1, prepend: 1, append: 1, replace: 1, setInnerContent: 1 });
defineInterface(EndTag, 'EndTag', { before: 1, after: 1 });
defineInterface(Comment, 'Comment');
defineInterface(Text, 'Text');
defineInterface(Doctype, 'Doctype');
defineInterface(DocumentEnd, 'DocumentEnd', { append: 1 });
