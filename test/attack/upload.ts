/** The upload of an attack's Worker. It may have Node's modules. */
import { toUploadForm } from '../helpers/quick-deploy.ts';
import type { Attack } from './attack.ts';

export function toAttackForm({ code, bindings }: Attack, worker: string): FormData {
  const form = toUploadForm(code, JSON.parse(JSON.stringify(bindings).replaceAll('$SELF', worker)) as object[]);
  const metadata = JSON.parse(form.get('metadata') as string) as object;
  form.set('metadata', JSON.stringify({ ...metadata, compatibility_flags: ['nodejs_compat'] }));
  return form;
}
