/** Secrets among a version's bindings: changed, and compared. */
import { PlatformError } from '../errors.ts';
import { MAX_BINDINGS } from '../limits.ts';
import type { Binding } from '../model.ts';
import { toSecret } from './metadata.ts';

/** A value, or null to delete the secret, by its name. */
export type SecretChanges = ReadonlyMap<string, string | null>;

/**
 * The bindings after the changes. To delete what is not there is fine, unless nothing else was asked for: that throws
 * `secretNotFound`. A name that something other than a secret has throws `nameTaken`.
 */
export function changeSecrets(bindings: readonly Binding[], changes: SecretChanges): Binding[] {
  const after = new Map(bindings.map((binding) => [binding.name, binding]));
  const missing: string[] = [];
  for (const [name, text] of changes) {
    const type = after.get(name)?.type;
    if (type !== undefined && type !== 'secret_text') throw nameTaken(name, type);
    if (text !== null) after.set(name, toSecret(name, text));
    else if (!after.delete(name)) missing.push(name);
  }
  if (missing.length > 0 && missing.length === changes.size) {
    throw new PlatformError('secretNotFound', `Cannot delete: there is no secret '${missing[0]}'`);
  }
  if (after.size > MAX_BINDINGS) {
    throw new PlatformError('invalidUpload', `Cannot store secrets: ${after.size} bindings, limit is ${MAX_BINDINGS}`);
  }
  return [...after.values()];
}

/** Names of secrets that only one of the two has, or with another value, in order. */
export function changedSecrets(a: readonly Binding[], b: readonly Binding[]): string[] {
  const before = secretsOf(a);
  const after = secretsOf(b);
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].filter((name) => before.get(name) !== after.get(name)).toSorted();
}

function secretsOf(bindings: readonly Binding[]): Map<string, string> {
  return new Map(bindings.flatMap((binding) => (binding.type === 'secret_text' ? [[binding.name, binding.text]] : [])));
}

function nameTaken(name: string, type: string): PlatformError {
  return new PlatformError('nameTaken', `Cannot store secret '${name}': the Worker has a ${type} binding of that name`);
}
