/**
 * Blobs, files and forms: Blob, File, FormData, and multipart/form-data both ways.
 * Called by fetch/ for bodies. Knows nothing of the host.
 * Promise: a blob's bytes never change; parsing a hostile form takes linear time.
 * Start at blob.ts; multipart.ts for the wire format.
 */
export { Blob, blobBytes, blobType, createBlob, createFile, File, isBlob, isFile } from './blob.ts';
export { FormData, isFormData } from './form-data.ts';
export { encodeFormData, parseMultipart } from './multipart.ts';
export { parseUrlencodedForm } from './urlencoded-form.ts';
