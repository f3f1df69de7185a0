/** The upload of an attack's Worker. It may have Node's modules. */
import { toUploadForm } from '../helpers/quick-deploy.ts';
import type { Attack } from './attack.ts';

/** Whose the attack is, and what its bindings may name: its own Worker as `$SELF`, a KV namespace as `$KV`. */
export interface Names {
  readonly account: string;
  readonly self: string;
  readonly kv: string;
}

export function toAttackForm({ code, bindings }: Attack, { self, kv }: Names): FormData {
  const named = JSON.stringify(bindings).replaceAll('$SELF', self).replaceAll('$KV', kv);
  const form = toUploadForm(code, JSON.parse(named) as object[]);
  const metadata = JSON.parse(form.get('metadata') as string) as object;
  form.set('metadata', JSON.stringify({ ...metadata, compatibility_flags: ['nodejs_compat'] }));
  return form;
}
