/**
 * V8's own UTF-8 codec, for the guest's TextEncoder and TextDecoder: a WebAssembly module of four functions, each one
 * instruction of the stringref proposal. It copies between a string and the module's memory at the speed of Node's
 * codec, where plain JavaScript takes 3 to 30 times as long.
 *
 * V8 has the proposal behind a flag, which is set only while this module is compiled, before there is any tenant code:
 * modules of tenants with such instructions are refused. A V8 without it (it may be removed one day) costs speed, not
 * function: then there is no kernel, and the guest's JavaScript does the work.
 */
import v8 from 'node:v8';
import ivm from 'isolated-vm';

const FLAG = 'experimental-wasm-stringref';
const PAGES = 1; // of 64 KiB: what is longer goes through in pieces

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]; // "\0asm", version 1
const I32 = 0x7f;
const STRING = 0x67; // stringref, nullable
const MEMORY = 0; // the number of the only one

/** The instructions of the proposal that there is one function for. */
const FUNCTIONS: Readonly<Record<string, readonly [parameters: number[], result: number, instruction: number[]]>> = {
  /** Memory from an address, a length: the string. For ASCII, where it is fast. */
  decodeAscii: [[I32, I32], STRING, [0x8b, 0x01, MEMORY]], // string.new_lossy_utf8
  /** Memory from an even address, a count of UTF-16 code units: the string. */
  decodeUnits: [[I32, I32], STRING, [0x81, 0x01, MEMORY]], // string.new_wtf16
  /** A string, an address: writes UTF-8 there, U+FFFD for lone surrogates, and tells how many bytes. */
  encode: [[STRING, I32], I32, [0x8d, 0x01, MEMORY]], // string.encode_lossy_utf8
  /** How many bytes `encode` would write. */
  measure: [[STRING], I32, [0x84, 0x01]], // string.measure_wtf8: lone surrogates count 3, as U+FFFD does
};

/** The compiled module; undefined when this V8 has no such thing. */
export function compileTextKernel(): object | undefined {
  v8.setFlagsFromString(`--${FLAG}`);
  try {
    const { Module } = WebAssembly as unknown as { Module: new (bytes: Uint8Array) => object };
    return new Module(assemble());
  } catch {
    return undefined;
  } finally {
    v8.setFlagsFromString(`--no-${FLAG}`);
  }
}

/**
 * What gives an isolate the module, its code being shared. Made for each, and released with the transfer: V8 waits at
 * the end of the process for a module that something outside its heaps still holds.
 */
export function toTransfer(kernel: object): ivm.Copy<unknown> {
  return new ivm.ExternalCopy<unknown>(kernel).copyInto({ release: true });
}

/** WebAssembly core specification, section 5.5: binary format of modules. All sizes here are below 128, so one byte each. */
function assemble(): Uint8Array<ArrayBuffer> {
  const functions = Object.values(FUNCTIONS);
  const names = ['memory', ...Object.keys(FUNCTIONS)];
  return Uint8Array.from([
    ...HEADER,
    ...section(
      1,
      functions.map(([parameters, result]) => [0x60, ...sized(parameters), ...sized([result])]),
    ),
    ...section(
      3,
      functions.map((_, type) => [type]),
    ),
    ...section(5, [[0x01, PAGES, PAGES]]), // with a maximum
    ...section(
      7,
      names.map((name, i) => [...sized([...Buffer.from(name)]), ...(i === 0 ? [2, MEMORY] : [0, i - 1])]),
    ),
    ...section(
      10,
      functions.map(([parameters, , instruction]) => sized([0, ...getAll(parameters), 0xfb, ...instruction, 0x0b])),
    ),
  ]);
}

/** `local.get` of each parameter. */
function getAll(parameters: readonly number[]): number[] {
  return parameters.flatMap((_, i) => [0x20, i]);
}

function section(id: number, items: readonly (readonly number[])[]): number[] {
  return [id, ...sized([items.length, ...items.flat()])];
}

function sized(bytes: readonly number[]): number[] {
  if (bytes.length > 0x7f) throw new RangeError(`${bytes.length} does not fit into one byte of LEB128`);
  return [bytes.length, ...bytes];
}
