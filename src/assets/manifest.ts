/** Which files a version has, and how they are served: one immutable blob, JSON, made when the version is uploaded. */
import type { Sha256 } from '../ids.ts';

export const HTML_HANDLINGS = ['auto-trailing-slash', 'force-trailing-slash', 'drop-trailing-slash', 'none'] as const;
export const NOT_FOUND_HANDLINGS = ['none', '404-page', 'single-page-application'] as const;
export type HtmlHandling = (typeof HTML_HANDLINGS)[number];
export type NotFoundHandling = (typeof NOT_FOUND_HANDLINGS)[number];

/** By `_redirects`. A status of 200 serves `to` in place of `from`. */
export interface RedirectRule {
  readonly from: string;
  readonly to: string;
  readonly status: number;
}

/** By `_headers`. Names are lower case. */
export interface HeaderRule {
  readonly path: string;
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly unset: readonly string[];
}

export interface AssetConfig {
  readonly htmlHandling: HtmlHandling;
  readonly notFoundHandling: NotFoundHandling;
  /** Whether the Worker is asked before the files: for each request, or by patterns of paths, those of `files` first. */
  readonly workerFirst: boolean | { readonly worker: readonly string[]; readonly files: readonly string[] };
  /** A navigation of a browser gets what `notFoundHandling` says rather than the Worker. */
  readonly navigationPrefersFiles: boolean;
  /** `/`, or where the files are below: `/app/`. */
  readonly basePath: string;
  readonly redirects: readonly RedirectRule[];
  readonly headers: readonly HeaderRule[];
}

/** Content type: null for none. */
type FileEntry = readonly [sha256: Sha256, bytes: number, type: string | null];

export interface AssetManifest {
  readonly config: AssetConfig;
  /** By path, as it is in a folder: `/a b/index.html`. */
  readonly files: Readonly<Record<string, FileEntry>>;
}

export interface AssetFile {
  readonly sha256: Sha256;
  readonly bytes: number;
  readonly type: string | null;
}

/** Equal manifests become equal bytes. */
export function encodeManifest(config: AssetConfig, files: ReadonlyMap<string, AssetFile>): Buffer {
  const sorted = [...files].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const entries = sorted.map(([path, { sha256, bytes, type }]) => [path, [sha256, bytes, type]] as const);
  return Buffer.from(JSON.stringify({ config, files: Object.fromEntries(entries) } satisfies AssetManifest));
}

/** Of a blob of ours, whose hash has been checked. */
export function parseManifest(bytes: Uint8Array): AssetManifest {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as AssetManifest;
}

export function filesOf({ files }: AssetManifest): Map<string, AssetFile> {
  return new Map(Object.entries(files).map(([path, [sha256, bytes, type]]) => [path, { sha256, bytes, type }]));
}
