import { PlatformError } from '../errors.ts';
import type { WorkerName } from '../ids.ts';
import type { Registry } from '../store/index.ts';
import type { WorkerKey } from './names.ts';

const MAX_LABEL_CHARS = 63; // RFC 1035 §2.3.4
const ID_CHARS = 8; // of a version's id, in a preview's host name
const ALIAS = /^[a-z](?:[a-z0-9-]*[a-z0-9])?$/;
const LOOKS_LIKE_ID = /^[0-9a-f]{8}$/;

/** Whether the versions of a Worker have host names: `<8 characters>-<worker>` has to be a label. */
export function hasPreviews(worker: WorkerName): boolean {
  return ID_CHARS + 1 + worker.length <= MAX_LABEL_CHARS;
}

/** Throws `badAlias` unless `<alias>-<worker>` is a host name, and nobody else's. */
export async function checkAlias(alias: string, { account, worker }: WorkerKey, registry: Registry): Promise<void> {
  const bad = (reason: string) =>
    new PlatformError('badAlias', `Bad preview alias ${JSON.stringify(alias)}: ${reason}`);
  if (!ALIAS.test(alias)) {
    throw bad('it must be of a-z, 0-9 and -, begin with a letter and not end with -');
  }
  const label = `${alias}-${worker}`;
  if (label.length > MAX_LABEL_CHARS) {
    throw bad(`with the Worker's name it has ${label.length} characters, limit is ${MAX_LABEL_CHARS}`);
  }
  if (LOOKS_LIKE_ID.test(alias)) throw bad('eight hexadecimal digits are for ids of versions');
  if ((await registry.worker(account, label as WorkerName)) !== undefined) {
    throw bad(`there is a Worker named '${label}'`);
  }
}
