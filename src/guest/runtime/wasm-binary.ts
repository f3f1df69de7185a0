/** The one thing to know about a WebAssembly binary: does it bring a memory of its own? */

const HEADER_BYTES = 8;
const SECTION_MEMORY = 5; // binary format of the WebAssembly core specification, section 5.5

/** True when each instance of the module makes a memory. What is malformed is left for the engine to refuse. */
export function hasOwnMemory(bytes: Uint8Array): boolean {
  let at = HEADER_BYTES;
  while (at < bytes.length) {
    const id = bytes[at]!;
    let size = 0;
    let factor = 1;
    let byte: number;
    do {
      byte = bytes[++at] ?? 0;
      size += (byte & 0x7f) * factor; // LEB128
      factor *= 128;
    } while (byte >= 0x80);
    at++;
    if (id === SECTION_MEMORY) return bytes[at] !== 0;
    at += size;
  }
  return false;
}
