/** An upload form to the code of a version. */
import { createGzip } from 'node:zlib';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { PlatformError } from '../errors.ts';
import { MAX_MODULE_NAME_CHARS, MAX_MODULES, MAX_UPLOAD_BYTES } from '../limits.ts';
import type { Binding, ModuleKind, ModuleSource } from '../model.ts';
import type { ParsedMetadata } from './metadata.ts';
import type { Form } from './multipart.ts';
import { capWasmMemory } from './wasm-memory.ts';

const MODULE_KINDS: ReadonlyMap<string, ModuleKind> = new Map([
  ['application/javascript+module', 'esm'],
  ['text/javascript+module', 'esm'],
  ['application/wasm', 'wasm'],
  ['text/plain', 'text'],
  ['application/octet-stream', 'data'],
  ['application/json', 'json'],
  ['application/javascript', 'cjs'],
  ['text/javascript', 'cjs'],
]);

const UNSUPPORTED_KINDS: ReadonlyMap<string, string> = new Map([
  ['text/x-python', 'a Python module'],
  ['text/x-python-requirement', 'a Python requirement'],
]);

const CHECKED_JSON_BYTES = 1024 * 1024; // of one upload: parsed here, where everybody else waits for it

const PART_KINDS = { wasm_module: 'wasm', text_blob: 'text', data_blob: 'data' } as const;

export const SOURCE_MAP_TYPE = 'application/source-map';

export interface UploadedModules {
  readonly modules: readonly ModuleSource[];
  readonly sourceMaps: readonly ModuleSource[];
}

/**
 * Sorts the form's files into modules and source maps and checks their names, kinds, number and size.
 * Throws `invalidUpload` or `uploadTooLarge`.
 */
export async function parseModules(
  { files }: Pick<Form, 'files'>,
  { mainModule, isScript, bindings }: Pick<ParsedMetadata, 'mainModule' | 'isScript' | 'bindings'>,
): Promise<UploadedModules> {
  const modules: ModuleSource[] = [];
  const sourceMaps: ModuleSource[] = [];
  const seen = new Set<string>();
  for (const { name, mimeType, content } of files) {
    const path = checkName(name);
    if (seen.has(path)) throw invalid(`module ${quote(name)} is there twice`);
    seen.add(path);
    if (mimeType === SOURCE_MAP_TYPE) sourceMaps.push({ name, kind: 'data', content });
    else {
      const kind = kindOf(name, mimeType);
      modules.push({ name, kind: isScript && name === mainModule && kind === 'cjs' ? 'script' : kind, content });
    }
  }
  if (modules.length > MAX_MODULES) {
    throw invalid(`${modules.length} modules, limit is ${MAX_MODULES}`);
  }
  if (mainModule === '' && modules.length === 0) return { modules, sourceMaps };
  const main = modules.find((module) => module.name === mainModule);
  if (main === undefined) throw invalid(`main module ${quote(mainModule)} is not among the modules`);
  if (isScript && main.kind !== 'script')
    throw invalid(`${quote(mainModule)} is not a script (application/javascript)`);
  if (!isScript && main.kind !== 'esm') throw invalid(`main module ${quote(mainModule)} is not an ES module`);
  for (const binding of bindings) checkPart(binding, modules);
  checkJson(modules.filter(({ kind }) => kind === 'json'));
  await checkCompressedSize(modules);
  return { modules, sourceMaps };
}

/** The modules with the memory of WebAssembly ones capped. Throws `invalidUpload`. */
export function capModules(modules: readonly ModuleSource[], memoryMiB: number): ModuleSource[] {
  return modules.map((module) =>
    module.kind === 'wasm'
      ? { ...module, content: capWasmMemory(module.content, { name: module.name, memoryMiB }) }
      : module,
  );
}

/** A binding that stands for a file has it in the same upload. */
function checkPart(binding: Binding, modules: readonly ModuleSource[]): void {
  if (!('part' in binding)) return;
  const kind = PART_KINDS[binding.type];
  const found = modules.find(({ name }) => name === binding.part);
  if (found?.kind === kind) return;
  const problem = found === undefined ? 'is not in the upload' : `has the wrong content type`;
  throw invalid(`the file ${quote(binding.part)} of the ${binding.type} binding '${binding.name}' ${problem}`);
}

function kindOf(name: string, mimeType: string): ModuleKind {
  const kind = MODULE_KINDS.get(mimeType);
  if (kind !== undefined) return kind;
  const unsupported = UNSUPPORTED_KINDS.get(mimeType);
  if (unsupported !== undefined) {
    throw invalid(
      `module ${quote(name)} is ${unsupported} (${mimeType}), which is not supported yet; ` +
        'use ES modules (application/javascript+module)',
    );
  }
  throw invalid(
    `module ${quote(name)} has content type '${mimeType}'; allowed are ${[...MODULE_KINDS.keys()].join(', ')}`,
  );
}

/**
 * Names are resolved like relative URLs by whoever imports them. Returns the name that a duplicate would share.
 *
 * Escapes are undone before looking for '..', so that no later decoding finds one.
 */
function checkName(name: string): string {
  if (name === '' || name.length > MAX_MODULE_NAME_CHARS) {
    throw invalid(`module name of ${name.length} characters, allowed are 1 to ${MAX_MODULE_NAME_CHARS}`);
  }
  const path = decodeFully(name).replace(/^(?:\.\/)+/, '');
  const segments = path.split('/');
  const isClean =
    // oxlint-disable-next-line no-control-regex -- that is what is refused
    !/[\u0000-\u001f\u007f\\]/.test(path) &&
    !/^[a-z][a-z0-9+.-]*:/i.test(path) && // node:fs, https://…
    segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..');
  if (!isClean) {
    throw invalid(
      `bad module name ${quote(name)}: it must be a relative path without '..', empty segments, ` +
        'backslashes, control characters or a scheme',
    );
  }
  return path;
}

function decodeFully(name: string): string {
  let current = name;
  for (let round = 0; round < 3; round += 1) {
    let decoded: string;
    try {
      decoded = decodeURIComponent(current);
    } catch {
      return current; // a lone '%' is an ordinary character
    }
    if (decoded === current) return current;
    current = decoded;
  }
  throw invalid(`bad module name ${quote(name)}: percent-encoded more than twice`);
}

/** For a message that names the module. The isolate that starts the code parses them again, and the rest of them. */
function checkJson(modules: readonly ModuleSource[]): void {
  let left = CHECKED_JSON_BYTES;
  for (const { name, content } of modules) {
    left -= content.byteLength;
    if (left < 0) return;
    try {
      JSON.parse(new TextDecoder().decode(content));
    } catch (error) {
      throw invalid(`module ${quote(name)} is not JSON: ${(error as Error).message.slice(0, 200)}`);
    }
  }
}

/** Compresses as a stream, on the thread pool: 64 MiB at once would stop every other request for seconds. */
async function checkCompressedSize(modules: readonly ModuleSource[]): Promise<void> {
  const rawBytes = modules.reduce((sum, { content }) => sum + content.byteLength, 0);
  if (rawBytes <= MAX_UPLOAD_BYTES) return; // small enough uncompressed
  let bytes = 0;
  await pipeline(
    Readable.from(modules.map(({ content }) => content)),
    createGzip(),
    async (compressed: AsyncIterable<Buffer>) => {
      for await (const chunk of compressed) {
        bytes += chunk.byteLength;
        if (bytes > MAX_UPLOAD_BYTES) {
          throw new PlatformError(
            'uploadTooLarge',
            `Cannot upload: the modules are ${rawBytes} bytes, and more than ${MAX_UPLOAD_BYTES} when gzip-compressed, which is the limit`,
          );
        }
      }
    },
  );
}

function quote(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}

function invalid(reason: string): PlatformError {
  return new PlatformError('invalidUpload', `Cannot upload: ${reason}`);
}
