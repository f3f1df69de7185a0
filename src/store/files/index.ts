/**
 * Blobs in a folder of plain files. Opened by the supervisor's composition root.
 * Promise: a blob under its final name is whole, whatever killed the process that wrote it.
 */
export { openFileBlobs } from './file-blobs.ts';
