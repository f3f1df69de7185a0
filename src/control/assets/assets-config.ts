/** `assets.config` of an upload's metadata: how the files are to be served. */
import { z } from 'zod';
import {
  type AssetConfig,
  HTML_HANDLINGS,
  NOT_FOUND_HANDLINGS,
  parseHeaders,
  parseRedirects,
} from '../../assets/index.ts';
import { MAX_WORKER_FIRST_RULES } from '../../limits.ts';

const MAX_RULE_CHARS = 100;
const NAVIGATION_DATE = '2025-04-01'; // from this compatibility date on, unless a flag says otherwise
const NAVIGATION_ON = 'assets_navigation_prefers_asset_serving';
const NAVIGATION_OFF = 'assets_navigation_has_no_effect';

const Pattern = z
  .string()
  .max(MAX_RULE_CHARS)
  .regex(/^!?\//, { error: "a pattern of run_worker_first begins with '/' or '!/'" });

const AssetsConfig = z.looseObject({
  html_handling: z.enum(HTML_HANDLINGS).nullish(),
  not_found_handling: z.enum(NOT_FOUND_HANDLINGS).nullish(),
  run_worker_first: z.union([z.boolean(), z.array(Pattern).max(MAX_WORKER_FIRST_RULES)]).nullish(),
  base_path: z
    .string()
    .max(MAX_RULE_CHARS)
    .regex(/^\/(?!\/|.*\/\.{1,2}(?:\/|$))[^\\%?#\s]*$/, { error: "base_path is a path, not escaped, without '..'" })
    .nullish(),
  _redirects: z.string().nullish(),
  _headers: z.string().nullish(),
});

/** `assets` of an upload's metadata. */
export const AssetsMetadata = z.looseObject({
  /** That all files have come. */
  jwt: z.string().optional(),
  config: AssetsConfig.default({}),
});
export type AssetsMetadata = z.output<typeof AssetsMetadata>;

export interface VersionFlags {
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
}

/** Lines of `_redirects` and `_headers` that are no rules are left out, as wrangler says when it runs the project. */
export function toAssetConfig(config: z.output<typeof AssetsConfig>, flags: VersionFlags): AssetConfig {
  const htmlHandling = config.html_handling ?? 'auto-trailing-slash';
  return {
    htmlHandling,
    notFoundHandling: config.not_found_handling ?? 'none',
    workerFirst: toWorkerFirst(config.run_worker_first ?? false),
    navigationPrefersFiles: prefersFiles(flags),
    basePath: toBasePath(config.base_path ?? '/'),
    redirects: parseRedirects(config._redirects ?? '', { htmlHandling }).rules,
    headers: parseHeaders(config._headers ?? '').rules,
  };
}

/** The same for a version whose files are those of another. */
export function withFlags(config: AssetConfig, flags: VersionFlags): AssetConfig {
  return { ...config, navigationPrefersFiles: prefersFiles(flags) };
}

function toWorkerFirst(given: boolean | readonly string[]): AssetConfig['workerFirst'] {
  if (typeof given === 'boolean') return given;
  return {
    worker: given.filter((pattern) => !pattern.startsWith('!')),
    files: given.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1)),
  };
}

function prefersFiles({ compatibilityDate, compatibilityFlags }: VersionFlags): boolean {
  if (compatibilityFlags.includes(NAVIGATION_ON)) return true;
  return compatibilityDate >= NAVIGATION_DATE && !compatibilityFlags.includes(NAVIGATION_OFF);
}

/** With a slash at both ends. */
function toBasePath(path: string): string {
  const names = path.split('/').filter((name) => name !== '');
  return names.length === 0 ? '/' : `/${names.join('/')}/`;
}
