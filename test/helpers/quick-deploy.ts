/** Deploys one module through the control API's import, without wrangler: for tests about what comes after. */
import assert from 'node:assert/strict';
import type { TestPlatform } from './platform.ts';

type ControlOnly = Pick<TestPlatform, 'account' | 'control'>;

export async function deployCode(
  platform: ControlOnly,
  name: string,
  code: string,
  bindings: readonly object[] = [],
): Promise<void> {
  const response = await platform.control(`/accounts/${platform.account}/workers/scripts/${name}`, {
    method: 'PUT',
    body: toUploadForm(code, bindings),
  });
  assert.equal(response.status, 200, await response.text());
}

/** The form that wrangler sends, for one ES module. */
export function toUploadForm(code: string, bindings: readonly object[] = []): FormData {
  const form = new FormData();
  form.set('metadata', JSON.stringify({ main_module: 'index.js', bindings, compatibility_date: '2026-01-01' }));
  form.set('index.js', new File([code], 'index.js', { type: 'application/javascript+module' }));
  return form;
}
