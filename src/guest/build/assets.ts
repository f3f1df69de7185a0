/** Binaries that parts need. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { capMemory } from '../../wasm-memory.ts';

const REWRITER_PAGES = 256; // of 64 KiB: no limit of the isolate's holds for this memory

/** By name: base64 of their gzip form. */
export async function loadAssets(): Promise<Record<string, string>> {
  const binary = await readFile(fileURLToPath(import.meta.resolve('html-rewriter-wasm/dist/html_rewriter_bg.wasm')));
  return { 'html-rewriter': gzipSync(capMemory(binary, REWRITER_PAGES)).toString('base64') };
}
