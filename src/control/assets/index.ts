/**
 * Static assets in the control API: uploads of files, and the manifest of a version. Called by the other resources of
 * control/. The files' meaning is in src/assets/, their index in the AssetIndex port, their bytes in the blob store.
 * Promise: nobody learns what another account has uploaded, nor serves it; a version never has a file that is not there.
 * Start at asset-uploads.ts.
 */
export { AssetsMetadata } from './assets-config.ts';
export { AssetUploads } from './asset-uploads.ts';
export { registerAssets } from './register-assets.ts';
export { storeVersionAssets } from './version-assets.ts';
