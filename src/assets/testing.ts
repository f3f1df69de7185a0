/** For tests: sites of files whose content plays no part. */
import type { Sha256 } from '../ids.ts';
import { type AssetConfig, type AssetFile, encodeManifest, parseManifest } from './manifest.ts';
import { Site, type SiteAnswer, type SiteRequest } from './site.ts';

export const DEFAULT_CONFIG: AssetConfig = {
  htmlHandling: 'auto-trailing-slash',
  notFoundHandling: 'none',
  workerFirst: false,
  navigationPrefersFiles: true,
  basePath: '/',
  redirects: [],
  headers: [],
};

/** Each file's hash is its path, of the content that is its path too. */
export function toFiles(paths: readonly string[]): Map<string, AssetFile> {
  return new Map(paths.map((path) => [path, { sha256: path as Sha256, bytes: path.length, type: typeOf(path) }]));
}

export function createSite(paths: readonly string[], config: Partial<AssetConfig> = {}): Site {
  return new Site(parseManifest(encodeManifest({ ...DEFAULT_CONFIG, ...config }, toFiles(paths))));
}

export function toRequest(path: string, options: Partial<SiteRequest> = {}): SiteRequest {
  return { method: 'GET', scheme: 'http', host: 'site.test', isNavigation: false, ...options, path };
}

/** In short: a file's path, `404 /404.html`, `307 /about`, `405`, or `worker`. */
export function describeAnswer(answer: SiteAnswer | undefined): string {
  if (answer === undefined) return 'worker';
  if (answer.kind === 'file') return answer.status === 200 ? answer.file.sha256 : `404 ${answer.file.sha256}`;
  const location = answer.fields.find(([name]) => name === 'location')?.[1];
  return location === undefined ? `${answer.status}` : `${answer.status} ${location}`;
}

function typeOf(path: string): string | null {
  if (path.endsWith('.html')) return 'text/html; charset=utf-8';
  return path.endsWith('.css') ? 'text/css; charset=utf-8' : null;
}
