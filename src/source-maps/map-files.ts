/** Which source map belongs to a module. */
import { MAX_SOURCE_MAP_BYTES } from '../limits.ts';

/** A map as it was found: its JSON, or the `data:` URL that holds it. */
export interface MapFile {
  readonly format: 'json' | 'dataUrl';
  readonly bytes: Uint8Array;
}

/** The files of a version, or what stands for them. Both give undefined for what is not there or is too large. */
export interface MapFiles {
  sourceMap(name: string): Promise<Uint8Array | undefined>;
  module(name: string): Promise<Uint8Array | undefined>;
}

const COMMENT = '//# sourceMappingURL=';
const MAX_NAME_BYTES = 1_024;

/**
 * The map named after the module (`index.js.map`, as wrangler uploads it), else the one that the module's last comment
 * names or contains.
 */
export async function findMap(files: MapFiles, module: string): Promise<MapFile | undefined> {
  const named = await readMap(files, `${module}.map`);
  if (named !== undefined) return named;
  const content = await files.module(module);
  const url = content === undefined ? undefined : findComment(content);
  if (url === undefined) return undefined;
  if (url.subarray(0, 5).toString('latin1') === 'data:') return { format: 'dataUrl', bytes: url };
  if (url.byteLength > MAX_NAME_BYTES) return undefined;
  const folder = module.slice(0, module.lastIndexOf('/') + 1);
  return readMap(files, `${folder}${url.toString('utf8')}`);
}

/** Files that are in memory already. */
export function toMapFiles(
  modules: readonly { readonly name: string; readonly content: Uint8Array }[],
  sourceMaps: readonly { readonly name: string; readonly content: Uint8Array }[],
): MapFiles {
  const find = (list: typeof modules, name: string): Promise<Uint8Array | undefined> =>
    Promise.resolve(list.find((file) => isSameName(file.name, name))?.content);
  return { sourceMap: (name) => find(sourceMaps, name), module: (name) => find(modules, name) };
}

/** `./index.js` and `index.js` are the same file. */
export function isSameName(a: string, b: string): boolean {
  return withoutDot(a) === withoutDot(b);
}

/** What the JSON of a `data:` URL is. Throws when it is none. */
export function decodeDataUrl(url: string): string {
  const comma = url.indexOf(',');
  const head = url.slice('data:'.length, comma);
  if (comma < 0 || !/^application\/json\b/i.test(head)) throw new Error('Cannot read source map: not a JSON data: URL');
  const body = url.slice(comma + 1);
  return /;base64$/i.test(head) ? Buffer.from(body, 'base64').toString('utf8') : decodeURIComponent(body);
}

async function readMap(files: MapFiles, name: string): Promise<MapFile | undefined> {
  const bytes = await files.sourceMap(name);
  return bytes === undefined || bytes.byteLength > MAX_SOURCE_MAP_BYTES ? undefined : { format: 'json', bytes };
}

/** The URL in the last comment of its kind, which must be the last thing in the module. */
function findComment(content: Uint8Array): Buffer | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength);
  // Base64 takes four characters for three bytes.
  const tail = bytes.subarray(Math.max(0, bytes.byteLength - Math.ceil((MAX_SOURCE_MAP_BYTES * 4) / 3) - 1_024));
  const at = tail.lastIndexOf(COMMENT);
  if (at < 0) return undefined;
  const url = tail.subarray(at + COMMENT.length);
  const end = url.indexOf('\n');
  if (end < 0) return url;
  const after = url.subarray(end).subarray(0, MAX_NAME_BYTES).toString('latin1');
  // Other such comments may follow (`//# debugId=…`), code may not.
  return /^(?:\s*(?:\/\/[#@][^\n]*)?(?:\n|$))*$/.test(after) ? url.subarray(0, end) : undefined;
}

function withoutDot(name: string): string {
  return name.startsWith('./') ? name.slice(2) : name;
}
