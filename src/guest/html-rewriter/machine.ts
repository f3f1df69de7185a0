/**
 * One instance of lol-html in WebAssembly, as the package `html-rewriter-wasm` builds it, and the glue to call it: what
 * `wasm-bindgen` would generate, without a way in for a tenant's patched prototypes, and with one owner at a time.
 *
 * Asynchronous handlers work by Asyncify: when one returns a promise, the whole stack is unwound into memory, and
 * wound up again once the promise has settled. Two rewriters of one instance must not do that at the same time (their
 * stacks share one pointer), so that each rewriter has an instance for itself.
 */
import {
  type Bytes,
  bytesSlice,
  instantiateOwn,
  isTrap,
  loadAsset,
  promiseThen,
  reflectApply,
  toDOMString,
  typedArraySet,
  utf8Decode,
  utf8Encode,
} from '../core.ts';

/** What the machine calls: takes the token's handle (or bytes, for the sink), answers a promise to be waited for. */
export type MachineCallback = (argument: unknown) => Promise<unknown> | undefined;

export interface MachineHandlers {
  readonly element?: MachineCallback | undefined;
  readonly comments?: MachineCallback | undefined;
  readonly text?: MachineCallback | undefined;
  readonly doctype?: MachineCallback | undefined;
  readonly end?: MachineCallback | undefined;
}

/** Bytes of the machine's memory. */
interface Span {
  readonly start: number;
  readonly length: number;
}

export interface RewriterHandle {
  readonly pointer: number;
  /** Where it is unwound to. */
  readonly stack: number;
}

type Call = (...parameters: (number | undefined)[]) => number;

interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly [name: string]: Call | WebAssembly.Memory;
}

const NONE = 0;
const UNWINDING = 1;
const REWINDING = 2;
const STACK_HEADER = 8; // bytes: where Asyncify's stack begins and ends
const STACK_BYTES = 1024; // what the library sets aside for it

// The first places of the table of objects have fixed values in wasm-bindgen.
const UNDEFINED = 32;
const FIRST_FREE = 36;
const NO_OPTION = 0xffffff; // an absent Option<bool>

/** `{ html: true }` and its opposite, as objects that the machine asks for `html`. */
const AS_HTML = { html: true };
const AS_TEXT = { html: false };

let idle: Machine | undefined;

/** A machine for one owner. Throws a RangeError when there are too many. */
export function acquireMachine(): Machine {
  const machine = idle ?? new Machine();
  idle = undefined;
  return machine;
}

/** Gives back a machine whose last rewriter has been freed. Not for one that has failed: its memory may be in disorder. */
export function releaseMachine(machine: Machine): void {
  idle ??= machine;
}

export class Machine {
  readonly #exports: Exports;
  readonly #objects: unknown[] = [];
  #freePlace = FIRST_FREE;
  #promise: Promise<unknown> | undefined;
  /** It has trapped, and is not to be entered again. */
  #broken = false;
  #memory: Uint8Array<ArrayBuffer> | undefined;
  #words: Int32Array<ArrayBuffer> | undefined;

  constructor() {
    for (let i = 0; i < FIRST_FREE; i++) this.#objects[i] = undefined;
    this.#objects[UNDEFINED + 1] = null;
    this.#objects[UNDEFINED + 2] = true;
    this.#objects[UNDEFINED + 3] = false;
    this.#exports = instantiateOwn(loadAsset('html-rewriter'), {
      __wbindgen_placeholder__: this.#imports(),
    }) as unknown as Exports;
  }

  /** A call of an export with numbers. Throws a TypeError for what is not allowed, a RangeError once it has broken. */
  call(name: string, ...parameters: (number | undefined)[]): number {
    if (this.#broken) throw outOfMemory();
    try {
      return reflectApply(this.#exports[name] as Call, undefined, parameters);
    } catch (error) {
      if (!isTrap(error)) throw error;
      this.#broken = true;
      throw outOfMemory();
    }
  }

  /** A call whose last parameters are strings, each as pointer and length. */
  callWithText(name: string, pointer: number, ...texts: string[]): number {
    const parameters: number[] = [pointer];
    for (let i = 0; i < texts.length; i++) {
      const bytes = utf8Encode(texts[i]!);
      parameters[parameters.length] = this.#allocate(bytes);
      parameters[parameters.length] = bytes.length;
    }
    return this.call(name, ...parameters);
  }

  /** A call of `before`, `append` and their kin. */
  callWithContent(name: string, pointer: number, content: string, html: boolean): void {
    const bytes = utf8Encode(content);
    const at = this.#allocate(bytes);
    this.call(name, pointer, at, bytes.length, this.#add(html ? AS_HTML : AS_TEXT));
  }

  /** A call that answers any value: a string, null, an array of arrays. */
  callForValue(name: string, pointer: number, text?: string): unknown {
    return this.#take(text === undefined ? this.call(name, pointer) : this.callWithText(name, pointer, text));
  }

  /** A call that answers a string. */
  callForText(name: string, pointer: number): string {
    const at = this.call('__wbindgen_add_to_stack_pointer', -16);
    let start = 0;
    let length = 0;
    try {
      this.call(name, at, pointer);
      start = this.#read32(at);
      length = this.#read32(at + 4);
      return this.#text(start, length);
    } finally {
      this.call('__wbindgen_add_to_stack_pointer', 16);
      if (start !== 0) this.call('__wbindgen_free', start, length);
    }
  }

  /** Lets an element's end tag be handled. */
  onEndTag(pointer: number, callback: MachineCallback): void {
    this.call('element_onEndTag', pointer, this.#add(callback));
  }

  /** `sink` is told where in `memory` some output is, and must copy it at once: it comes a few bytes at a time. */
  newRewriter(sink: (memory: Bytes, start: number, length: number) => void): RewriterHandle {
    const place = this.#add((bytes: unknown) => {
      const { start, length } = bytes as Span;
      sink(this.#bytes(), start, length);
      return undefined;
    });
    try {
      const pointer = this.call('htmlrewriter_new', place, 0);
      return { pointer, stack: this.call('htmlrewriter_asyncify_stack_ptr', pointer) };
    } finally {
      this.#drop(place);
    }
  }

  /** Idempotent for one that has broken. Not while it is suspended. */
  freeRewriter({ pointer }: RewriterHandle): void {
    if (!this.#broken) this.call('__wbg_htmlrewriter_free', pointer);
  }

  /** Adds handlers for a selector. Throws a TypeError for one that is not supported. */
  on(rewriter: RewriterHandle, selector: string, handlers: MachineHandlers): void {
    const bytes = utf8Encode(selector);
    const at = this.#allocate(bytes);
    this.call('htmlrewriter_on', rewriter.pointer, at, bytes.length, this.#add(handlers));
  }

  onDocument(rewriter: RewriterHandle, handlers: MachineHandlers): void {
    this.call('htmlrewriter_onDocument', rewriter.pointer, this.#add(handlers));
  }

  /** Hands bytes to the rewriter. Resolves once every handler on their way has settled. */
  write(rewriter: RewriterHandle, bytes: Bytes): Promise<void> | undefined {
    const at = this.#allocate(bytes);
    return this.#run('htmlrewriter_write', rewriter, at, bytes.length);
  }

  end(rewriter: RewriterHandle): Promise<void> | undefined {
    return this.#run('htmlrewriter_end', rewriter);
  }

  /** A call that handlers may suspend. */
  #run(name: string, rewriter: RewriterHandle, ...parameters: number[]): Promise<void> | undefined {
    this.call(name, rewriter.pointer, ...parameters);
    return this.#resume(name, rewriter);
  }

  #resume(name: string, rewriter: RewriterHandle): Promise<void> | undefined {
    if (this.call('asyncify_get_state') !== UNWINDING) return undefined;
    this.call('asyncify_stop_unwind');
    const promise = this.#promise!;
    this.#promise = undefined;
    return promiseThen(promise, () => {
      this.call('asyncify_start_rewind', rewriter.stack);
      this.call(name);
      return this.#resume(name, rewriter);
    }) as Promise<void>;
  }

  #suspend(stack: number, promise: Promise<unknown>): void {
    const state = this.call('asyncify_get_state');
    if (state === REWINDING) {
      this.call('asyncify_stop_rewind');
      return;
    }
    if (state !== NONE || this.#promise !== undefined) throw new Error('A handler is waited for already');
    this.#write32(stack, stack + STACK_HEADER);
    this.#write32(stack + 4, stack + STACK_BYTES);
    this.call('asyncify_start_unwind', stack);
    this.#promise = promise;
  }

  #allocate(bytes: Bytes): number {
    const at = this.call('__wbindgen_malloc', bytes.length);
    typedArraySet(this.#bytes(), bytes, at);
    return at;
  }

  #bytes(): Uint8Array<ArrayBuffer> {
    const { buffer } = this.#exports.memory;
    if (this.#memory?.buffer !== buffer) this.#memory = new Uint8Array(buffer);
    return this.#memory;
  }

  #allWords(): Int32Array<ArrayBuffer> {
    const { buffer } = this.#exports.memory;
    if (this.#words?.buffer !== buffer) this.#words = new Int32Array(buffer);
    return this.#words;
  }

  #read32(at: number): number {
    return this.#allWords()[at >>> 2]!;
  }

  #write32(at: number, value: number): void {
    this.#allWords()[at >>> 2] = value;
  }

  #text(at: number, length: number): string {
    return utf8Decode(bytesSlice(this.#bytes(), at, at + length));
  }

  #add(value: unknown): number {
    const place = this.#freePlace;
    const next = this.#objects[place];
    this.#freePlace = typeof next === 'number' ? next : place + 1;
    this.#objects[place] = value;
    return place;
  }

  #drop(place: number): void {
    if (place < FIRST_FREE) return;
    this.#objects[place] = this.#freePlace;
    this.#freePlace = place;
  }

  #take(place: number): unknown {
    const value = this.#objects[place];
    this.#drop(place);
    return value;
  }

  #addOrNone(value: unknown): number {
    return value === undefined || value === null ? 0 : this.#add(value);
  }

  /** What the binary imports; the names with hashes are those of the version that is built in. */
  #imports(): Record<string, (...parameters: number[]) => unknown> {
    const get = (place: number | undefined): unknown => this.#objects[place!];
    const handler =
      (name: keyof MachineHandlers) =>
      (place?: number): number =>
        this.#addOrNone((get(place) as MachineHandlers)[name]);
    const handle = (pointer?: number): number => this.#add(pointer);
    const returnText = (target: number | undefined, text: string): void => {
      const bytes = utf8Encode(text);
      const at = this.#allocate(bytes);
      this.#write32(target!, at);
      this.#write32(target! + 4, bytes.length);
    };
    return {
      __wbindgen_object_drop_ref: (place) => this.#drop(place),
      __wbindgen_object_clone_ref: (place) => this.#add(get(place)),
      __wbindgen_string_new: (at, length) => this.#add(this.#text(at, length)),
      __wbindgen_memory: () => UNDEFINED,
      __wbindgen_debug_string: (target, place) => returnText(target, typeof get(place)),
      __wbindgen_throw: (at, length) => {
        throw new Error(this.#text(at, length));
      },
      __wbindgen_rethrow: (place) => {
        throw this.#take(place);
      },
      __wbg_html_cd9a0f328493678b: (place) => ((get(place) as { html: boolean }).html ? 1 : 0),
      __wbg_enableEsiTags_de6b91cc61a25874: () => NO_OPTION,
      __wbg_element_c38470ed972aea27: handler('element'),
      __wbg_comments_ba86bc03331d9378: handler('comments'),
      __wbg_text_7800bf26cb443911: handler('text'),
      __wbg_doctype_ac58c0964a59b61b: handler('doctype'),
      __wbg_comments_94d876f6c0502e82: handler('comments'),
      __wbg_text_4606a16c30e4ae91: handler('text'),
      __wbg_end_34efb9402eac8a4e: handler('end'),
      __wbg_element_new: handle,
      __wbg_comment_new: handle,
      __wbg_textchunk_new: handle,
      __wbg_doctype_new: handle,
      __wbg_documentend_new: handle,
      __wbg_endtag_new: handle,
      __wbg_awaitPromise_39a1101fd8518869: (stack, place) => this.#suspend(stack, get(place) as Promise<unknown>),
      // Callbacks answer a promise or undefined, nothing else.
      __wbg_instanceof_Promise_c6535fc791fcc4d2: (place) => (get(place) === undefined ? 0 : 1),
      __wbg_call_6c4ea719458624eb: (callee, _receiver, place) => {
        try {
          const answer = (get(callee) as MachineCallback)(get(place));
          if (!this.#broken) return this.#add(answer);
        } catch (error) {
          if (this.#broken) throw error;
          this.call('__wbindgen_exn_store', this.#add(error));
          return 0;
        }
        throw outOfMemory(); // a handler that caught it does not mend what has broken
      },
      __wbg_String_60c4ba333b5ca1c6: (target, place) => returnText(target, toText(get(place))),
      __wbg_new_4fee7e2900033464: () => this.#add([]),
      __wbg_push_ba9b5e3c25cff8f9: (place, item) => {
        const list = get(place) as unknown[];
        list[list.length] = get(item);
        return list.length;
      },
      __wbg_new_917809a3e20a4b00: (at, length) => this.#add(new TypeError(this.#text(at, length))),
      // What the machine takes for a Uint8Array of its memory, and for a copy of it, is only where that is.
      __wbg_buffer_89a8560ab6a3d9c6: () => UNDEFINED,
      __wbg_newwithbyteoffsetandlength_e45d8b33c02dc3b5: (_buffer, start, length) =>
        this.#add({ start: start >>> 0, length: length >>> 0 } satisfies Span),
      __wbg_new_bd2e1d010adb8a1a: (place) => this.#add(get(place)),
    };
  }
}

/** Why it traps, as a rule: a single tag, or what was inserted, has filled its memory. */
function outOfMemory(): RangeError {
  return new RangeError('The HTML rewriter has run out of memory');
}

function toText(value: unknown): string {
  try {
    return toDOMString(value);
  } catch {
    return 'Error';
  }
}
