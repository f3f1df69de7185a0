/** Blobs, files and forms. */
import * as blobs from '../blob/blob.ts';
import * as formData from '../blob/form-data.ts';
import * as multipart from '../blob/multipart.ts';
import { parseUrlencodedForm } from '../blob/urlencoded-form.ts';
import { setForms } from '../shared.ts';

export { Blob, blobBytes, blobType, createBlob, createFile, File, isFile } from '../blob/blob.ts';
export { FormData } from '../blob/form-data.ts';
export { encodeFormData, parseMultipart } from '../blob/multipart.ts';
export { parseUrlencodedForm } from '../blob/urlencoded-form.ts';

setForms({ ...blobs, ...formData, ...multipart, parseUrlencodedForm });
