/** Deploys one module through the control API's import, without wrangler: for tests about what comes after. */
import assert from 'node:assert/strict';
import type { TestPlatform } from './platform.ts';

type ControlOnly = Pick<TestPlatform, 'account' | 'control'>;

export async function deployCode(
  platform: ControlOnly,
  name: string,
  code: string,
  bindings: readonly object[] = [],
  limits?: { readonly cpu_ms: number },
): Promise<void> {
  const response = await platform.control(`/accounts/${platform.account}/workers/scripts/${name}`, {
    method: 'PUT',
    body: toUploadForm(code, bindings, limits),
  });
  assert.equal(response.status, 200, await response.text());
}

/** The form that wrangler sends, for one ES module. */
export function toUploadForm(code: string, bindings: readonly object[] = [], limits?: object): FormData {
  const form = new FormData();
  const metadata = { main_module: 'index.js', bindings, compatibility_date: '2026-01-01', limits };
  form.set('metadata', JSON.stringify(metadata));
  form.set('index.js', new File([code], 'index.js', { type: 'application/javascript+module' }));
  return form;
}
