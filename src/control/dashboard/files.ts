/** The built dashboard, in memory: under a megabyte, read once, so that a later build cannot take files from under it. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { gzipSync } from 'node:zlib';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export interface SiteFile {
  readonly type: string;
  readonly plain: Buffer;
  readonly gzip: Buffer;
  readonly etag: string;
}

export interface SiteFiles {
  /** Of every page: which one it is, its script finds out. */
  readonly index: SiteFile;
  /** By name, which has a hash of the content in it. */
  readonly assets: ReadonlyMap<string, SiteFile>;
}

/** Throws when there is no build in the folder. */
export function readSiteFiles(folder: string): SiteFiles {
  const assets = new Map<string, SiteFile>();
  for (const path of readdirSync(join(folder, 'assets'), { recursive: true, withFileTypes: true })) {
    if (!path.isFile()) continue;
    const full = join(path.parentPath, path.name);
    assets.set(full.slice(join(folder, 'assets').length + 1).replaceAll(sep, '/'), readSiteFile(full));
  }
  return { index: readSiteFile(join(folder, 'index.html')), assets };
}

function readSiteFile(path: string): SiteFile {
  const plain = readFileSync(path);
  return {
    type: TYPES[extname(path)] ?? 'application/octet-stream',
    plain,
    gzip: gzipSync(plain, { level: 9 }),
    etag: `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`,
  };
}
