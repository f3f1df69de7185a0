/**
 * V8's own UTF-8 codec, which an isolate can call through WebAssembly (engine/text-kernel.ts). It takes 0.25 ms and
 * 90 kB, so that only an isolate has it that has coded a good deal of text; until then utf8.ts does the work.
 */
import { isConnected } from '../runtime/host.ts';
import { loadPart } from '../runtime/parts.ts';

/** What parts/text-kernel.ts has. */
export interface TextKernel {
  encode(text: string): Bytes;
  /** Encodes the whole text to the beginning of `target`, and tells how many bytes; undefined if it does not fit. */
  encodeInto(text: string, target: Uint8Array): number | undefined;
  /** The bytes of a text that is all ASCII, as a view that holds until the next call; undefined otherwise. */
  asciiBytes(text: string): Bytes | undefined;
  decode(bytes: Uint8Array, fatal: boolean): string;
  /** The text of bytes that are all ASCII; undefined otherwise. */
  decodeAscii(bytes: Uint8Array): string | undefined;
}

type Bytes = Uint8Array<ArrayBuffer>;

/** Shorter texts do not gain: what a call into WebAssembly costs, the loop in JavaScript does 16 characters in. */
const MIN_LENGTH = 48;
/** By then JavaScript has taken about as long as the kernel takes to load. */
const WORTHWHILE = 128 * 1024;

let coded = 0;
/** `null`: this V8 has none. */
let kernel: TextKernel | null | undefined;

/** The kernel if it is there, or due, for a text of this length. */
export function textKernel(length: number): TextKernel | null | undefined {
  if (length < MIN_LENGTH) return undefined;
  if (kernel !== undefined) return kernel;
  coded += length;
  if (coded < WORTHWHILE || !isConnected()) return undefined;
  const { createTextKernel } = loadPart('text-kernel') as { createTextKernel(): TextKernel | undefined };
  return (kernel = createTextKernel() ?? null);
}
