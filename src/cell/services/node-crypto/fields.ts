/** Parameters of a question, from a tenant's isolate: each checked before it is used. */
import { ServiceError } from '../service.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function toFields(parameters: unknown): Fields {
  return typeof parameters === 'object' && parameters !== null ? (parameters as Fields) : {};
}

export function toText(value: unknown, name: string, maxChars = 64): string {
  if (typeof value !== 'string' || value.length > maxChars) throw new TypeError(`Invalid ${name}`);
  return value;
}

export function toCount(value: unknown, name: string, max: number): number {
  if (!Number.isInteger(value) || (value as number) < 0 || (value as number) > max) {
    throw new RangeError(
      `The value of "${name}" is out of range. It must be >= 0 && <= ${max}. Received ${String(value)}`,
    );
  }
  return value as number;
}

/** The byte strings that were sent as one: `lengths` says where each ends. */
export function splitBytes({ lengths }: Fields, bytes: Uint8Array | undefined): Uint8Array[] {
  const all = bytes ?? new Uint8Array(0);
  if (!Array.isArray(lengths) || lengths.length > 8) throw new ServiceError('Error', 'Malformed question');
  let at = 0;
  return (lengths as unknown[]).map((length) => {
    const end = at + toCount(length, 'length', all.byteLength - at);
    const part = all.subarray(at, end);
    at = end;
    return part;
  });
}
