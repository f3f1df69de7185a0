/**
 * Blobs, files and forms: Blob, File, FormData, and multipart/form-data both ways. Their code is a part of the runtime
 * (parts/forms.ts) that an isolate loads when something first needs it; until then nothing in it is a blob or a form.
 * Called by fetch/ for bodies, and by whoever makes blobs, by `forms()`. Knows nothing of the host.
 * Promise: a blob's bytes never change; parsing a hostile form takes linear time.
 * Start at blob.ts; multipart.ts for the wire format.
 */
import type * as part from '../parts/forms.ts';
import { loadPart } from '../runtime/parts.ts';
import type { isBlob as isLoadedBlob } from './blob.ts';
import type { isFormData as isLoadedForm } from './form-data.ts';

type Forms = typeof part & { readonly isBlob: typeof isLoadedBlob; readonly isFormData: typeof isLoadedForm };

let loaded: Forms | undefined;

/** Called by the part when it has been loaded. */
export function setForms(forms: Forms): void {
  loaded = forms;
}

export function forms(): typeof part {
  return loaded ?? (loadPart('forms') as unknown as typeof part);
}

export function isBlob(value: unknown): value is part.Blob {
  return loaded !== undefined && loaded.isBlob(value);
}

export function isFormData(value: unknown): value is part.FormData {
  return loaded !== undefined && loaded.isFormData(value);
}
