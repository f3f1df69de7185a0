/**
 * Static assets: which file answers a request, and with which headers. Called by gateway/ for visitors, by the supervisor for
 * `env.ASSETS`, and by control/ to make manifests. Knows no processes and no storage, and reads no file by a path that a
 * client sent: paths are looked up in a manifest, which says by which hash the bytes are stored.
 * Promise: no request takes longer than its share, whatever the rules of a site and the path of a client are.
 * Start at site.ts; respond.ts has conditions and ranges.
 */
export { type AssetSource, serveAssets } from './exchange.ts';
export { parseHeaders } from './headers-file.ts';
export {
  type AssetConfig,
  type AssetFile,
  type AssetManifest,
  encodeManifest,
  filesOf,
  HTML_HANDLINGS,
  NOT_FOUND_HANDLINGS,
  parseManifest,
} from './manifest.ts';
export { parseRedirects } from './redirects-file.ts';
export { type AssetBody, type AssetResponse, respond } from './respond.ts';
export { toAssetsWorker } from './only-assets.ts';
export { type ByteSink, Pump } from './pump.ts';
export { Site, type SiteRequest } from './site.ts';
export { Sites } from './sites.ts';
